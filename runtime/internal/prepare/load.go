package prepare

import "slices"

// The constants that make estimates of counts. They were fitted to what wazero
// 1.12 makes of programs in Go and C for amd64.
const (
	frameBase  = 64 // bytes that every frame takes
	mergeShare = 8  // one of so many values that meet where branches meet takes a place
	workShare  = 4  // so many values that meet there take as long to compile as a byte
	registers  = 12 // so many operands have a place without the frame
)

// A load is what a function takes of the machine once it is compiled, guessed
// while its instructions pass by.
//
// A compiler that allocates registers spills the values that are live during a
// call, or for which there are too few registers, and gives each a place of its own
// in the frame. So a frame grows with the assignments of variables, with the
// operands that lie on the stack during calls, and with the places where branches
// meet, for there every variable that was assigned on one of the ways becomes a
// new value. The work of compiling grows with these places too: with the variables
// that are used between them, times the branches that meet.
type load struct {
	descent
	locals    uint64 // parameters and locals
	variables uint64 // the same, and the globals that can change
	globals   uint64 // the globals that can change
	slot      uint64 // the bytes that a value takes
	height    int    // of the operand stack
	most      int    // the greatest height so far
	held      int    // of the operands on the stack, those counted already
	spilled   uint64 // values that have a place in the frame
	passed    int    // the most parameters and results of a call
	merges    uint64 // values that meet where branches meet
	edges     uint64 // the same for each of the branches, and what calls take, return and reload
	values    uint64 // the types that a validator compares at calls, blocks and branches
}

// newLoad is the load of the nth function before its first instruction.
func (m *module) newLoad(n int) load {
	params := m.types[m.functions[n]].params
	l := load{locals: m.localCount(n), globals: 2, slot: 8, spilled: uint64(len(params))}
	for _, g := range m.globals {
		if g.mutable {
			l.globals++
		}
	}
	vectors := slices.ContainsFunc(m.bodies[n].locals, func(r run) bool { return r.kind == typeV128 }) ||
		slices.ContainsFunc(m.globals, func(g global) bool { return g.kind == typeV128 })
	if vectors || slices.Contains(params, typeV128) {
		l.slot = 16
	}
	l.variables = l.locals + l.globals
	return l
}

// localCount is the number of a function's parameters and locals.
func (m *module) localCount(n int) uint64 {
	count := uint64(len(m.types[m.functions[n]].params))
	for _, run := range m.bodies[n].locals {
		count += uint64(run.count)
	}
	return count
}

// add takes an instruction in a scope into account; called is the type of the
// function that it calls.
func (l *load) add(in instruction, top *scope, called signature) {
	l.settle(max(l.height+int(in.op.shape().delta), top.base))
	switch in.op {
	case opLocalSet, opLocalTee, opGlobalSet:
		top.writes++
		top.uses++
		l.spilled++
	case opLocalGet, opGlobalGet:
		top.uses++
	case opCall, opCallIndirect:
		l.call(called)
	case opBr, opBrTable, opReturn, opUnreachable:
		l.settle(top.base)
	}
	if in.op>>8 == prefixVector || slices.Contains(called.results, typeV128) {
		l.slot = 16
	}
}

// call takes a call into account: the operands below its parameters live on.
func (l *load) call(called signature) {
	l.settle(max(0, l.height-len(called.params)))
	l.hold()
	l.settle(l.height + len(called.results))
	l.passed = max(l.passed, len(called.params)+len(called.results))
	l.values += called.size()
	l.edges += l.globals + called.size()
}

// settle makes the operand stack that high. The operands for which there are no
// registers are counted at once.
func (l *load) settle(height int) {
	l.spilled += uint64(max(0, height-max(l.height, registers)))
	l.height = height
	l.held = min(l.held, height)
	l.most = max(l.most, height)
}

// hold counts the operands on the stack, each once.
func (l *load) hold() {
	l.spilled += uint64(max(0, min(l.height, registers)-l.held))
	l.held = l.height
}

// enter begins a scope and returns the height below its parameters. Those of a loop are
// new values; and it begins with a call of its own, the check of the fuel.
func (l *load) enter(s scope) (base int) {
	l.values += s.block.size()
	base = max(0, l.height-len(s.block.params))
	if s.op == opLoop {
		l.hold()
		l.settle(base)
		l.settle(base + len(s.block.params))
		l.hold()
	}
	return base
}

// leave ends a scope. What a loop assigns lives on in the call at its beginning.
func (l *load) leave(s scope) {
	ways := s.edges + 1
	if s.op == opLoop {
		l.spilled += min(l.variables, s.writes)
		ways += 2 // to the check and back
	} else {
		l.merges += min(l.variables, s.writes)
	}
	l.edges += (min(l.variables, s.uses) + uint64(len(s.label()))) * ways
	if s.edges > 0 || s.op == opElse {
		l.settle(s.base) // where branches meet the results are new values
	}
	l.settle(s.base + len(s.block.results))
}

// frame is the estimate of the bytes of stack: those of a compiled function, or
// those that its locals and operands take when it is interpreted, if they are more.
func (l *load) frame() uint32 {
	compiled := l.spilled + uint64(l.passed) + l.merges/mergeShare
	interpreted := l.locals + uint64(l.most)
	return uint32(min(frameBase+l.slot*max(compiled, interpreted), 1<<30))
}

// work is the estimate of how many bytes of ordinary code take as long to compile.
func (l *load) work() uint64 { return l.edges/workShare + l.steps/stepShare }
