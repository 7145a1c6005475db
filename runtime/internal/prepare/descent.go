package prepare

import "math"

// stepShare is how many steps of a descent take as long to compile as a byte. It
// was measured with what wazero 1.12 makes of long chains of branches.
const stepShare = 300

// A descent counts the steps that a compiler takes to look for loops: from every
// place that control comes from it follows the blocks that dominate that place, up to
// the entry of the function. In a long chain of blocks that is quadratic.
// (https://en.wikipedia.org/wiki/Dominator_(graph_theory))
type descent struct {
	depth uint64 // at most so many blocks dominate the current one
	dead  bool   // control does not get here
	steps uint64
}

// A landing is where control arrives at the end of a block.
type landing struct {
	fork  uint64 // the depth where the block was opened
	dead  bool   // control did not get there
	alive bool   // it arrives from the then of an if
	least uint64 // the least depth that it arrives from
}

// edge is a branch from the current block.
func (d *descent) edge() {
	if !d.dead {
		d.steps += d.depth
	}
}

// next begins n blocks, each of which the one before it dominates.
func (d *descent) next(n uint64) {
	for range n {
		d.edge()
		d.depth++
	}
}

// open is what happens at the beginning of a block.
func (d *descent) open(op opcode) landing {
	l := landing{fork: d.depth, dead: d.dead, least: math.MaxUint64}
	switch op {
	case opIf:
		d.next(1)
	case opLoop:
		d.next(3) // with the check of the fuel
	}
	return l
}

// branch goes to the end of a block that l belongs to, or to the beginning of a loop.
func (d *descent) branch(l *landing) {
	d.edge()
	if !d.dead {
		l.least = min(l.least, d.depth)
	}
}

// otherwise is what happens between the branches of an if.
func (d *descent) otherwise(l *landing) {
	d.branch(l)
	l.alive = !d.dead
	d.depth, d.dead = l.fork, l.dead
	d.next(1)
}

// close is what happens at the end of a block.
func (d *descent) close(op opcode, l landing) {
	if op == opLoop {
		return
	}
	d.branch(&l)
	if !l.dead && (op == opIf || op == opElse && l.alive && !d.dead) {
		l.least = min(l.least, l.fork)
	}
	if d.dead = l.least == math.MaxUint64; !d.dead {
		d.depth = l.least
		d.next(1)
	}
}

// add takes an instruction into account that is neither the beginning nor the end of a
// block, its branches apart.
func (d *descent) add(op opcode) {
	switch {
	case op.leaves():
		d.dead = true
	case op == opBrIf:
		d.next(1)
	case op == opTableCopy || op == opTableFill:
		d.next(3) // they are compiled to loops
	}
}
