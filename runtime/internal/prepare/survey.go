package prepare

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wasmagent/wasmagent/policy"
)

// The costs in fuel that are not one for each instruction.
const (
	hostCall   = 256 // a call of an imported function, or a growth of the memory
	localsUnit = 16  // so many locals cost one at each entry of a function or a loop
)

// A profile is what is known of a function before it is rewritten.
type profile struct {
	entry      uint64 // the fuel that entering it costs
	loops      []loop // in the order of their beginnings
	recurs     bool   // it may be on the call stack more than once; meter sets it
	hot        bool   // it has a loop that calls nothing
	names      bool   // it names data segments, whose numbers must stay
	references bool   // it makes references to functions, or changes where they are
	frame      uint32 // the bytes of native stack that it takes, an estimate
	work       uint64 // the bytes of ordinary code that take as long to compile, an estimate

	callees  []uint32 // the nodes of a callGraph that it calls
	referred []uint32 // the functions defined here that it makes references to

	instructions uint64
	values       uint64 // the types that a validator compares at calls, blocks and branches
}

// A loop is what is known of a loop.
type loop struct {
	price   uint64 // the fuel that entering or repeating it costs
	repeats bool   // something repeats it
}

// A scope is an open block.
type scope struct {
	op     opcode
	loop   int       // which of the function's loops it is
	loops  int       // the open loops, itself included
	block  signature // its parameters and results
	base   int       // the height of the operand stack below its parameters
	before way       // the way to its beginning
	meets  int64     // the cost of the costliest way to its end, but for the one through its last instruction
	calls  bool      // it calls something
	edges  uint64    // the branches to its label
	writes uint64    // the assignments of variables in it
	uses   uint64    // the uses of variables in it, assignments and others
	landing
}

// label are the types of what a branch to the scope's label hands over.
func (s *scope) label() []byte {
	if s.op == opLoop {
		return s.block.params
	}
	return s.block.results
}

// A surveyor walks the instructions of one function.
type surveyor struct {
	profile
	m      *module
	scopes []scope
	open   []way // the way to the beginning of each open loop
	way    way
	load   load
}

// survey makes the profiles of the functions defined in the module. It wants every
// block to be closed and every index to be of something that the program declares
// itself.
func survey(m *module, limits policy.Limits) ([]profile, error) {
	profiles := make([]profile, len(m.bodies))
	locals, values := uint64(0), uint64(0)
	for n := range m.bodies {
		locals += m.localCount(n)
		if err := m.refuseBody(n, locals, limits); err != nil {
			return nil, err
		}
		p, err := m.profile(n)
		if err != nil {
			return nil, err
		}
		if values += p.values; values > maxValues {
			return nil, fmt.Errorf("the functions hand more than %d values to calls, blocks and branches together: hand them over in memory, or build the program smaller", maxValues)
		}
		profiles[n] = p
	}
	return profiles, nil
}

// refuseBody refuses a function that is too large; locals are those of all
// functions so far.
func (m *module) refuseBody(n int, locals uint64, limits policy.Limits) error {
	name, size := len(m.imports)+n, len(m.bodies[n].code)
	switch {
	case int64(size) > int64(limits.Body):
		return fmt.Errorf("function %d has %d bytes and the limit is %s: split it up, build it with less inlining (-Os), or raise the limit \"body\"", name, size, limits.Body)
	case m.localCount(n) > maxLocals:
		return fmt.Errorf("function %d has %d locals and at most %d are allowed: split it up, or build it with optimization", name, m.localCount(n), maxLocals)
	case locals > maxAllLocals:
		return fmt.Errorf("the functions have more than %d locals together: build the program smaller", maxAllLocals)
	}
	return nil
}

// profile makes the profile of the nth function.
func (m *module) profile(n int) (profile, error) {
	b := m.bodies[n]
	s := surveyor{m: m, load: m.newLoad(n), scopes: []scope{{op: opBlock, meets: nowhere, block: signature{results: m.types[m.functions[n]].results}}}}
	s.top().landing = s.load.open(opBlock)
	r := &reader{bytes: b.code, end: b.end}
	for r.more() && len(s.scopes) > 0 {
		in := r.instruction()
		if r.err != nil {
			break
		}
		if err := s.visit(in); err != nil {
			r.fail("%w", err)
		}
		if len(s.scopes) > maxNesting {
			r.refuse(fmt.Sprintf("function %d nests blocks more than %d deep: split it up", len(m.imports)+n, maxNesting))
		}
	}
	if r.more() || len(s.scopes) > 0 {
		r.fail("blocks and ends do not match")
	}
	s.frame, s.work, s.values = s.load.frame(), s.load.work(), s.load.values
	slices.Sort(s.callees)
	s.callees = slices.Compact(s.callees)
	return s.profile, r.err
}

// visit takes one instruction into account.
func (s *surveyor) visit(in instruction) (err error) {
	if !s.declared(in) {
		return errors.New("an index is of nothing that is there")
	}
	s.instructions++
	s.way.step(s.price(in))
	s.load.add(in, s.top(), s.called(in))
	switch in.op {
	case opBlock, opIf, opLoop:
		s.enter(in)
	case opElse:
		err = s.otherwise()
	case opEnd:
		s.close()
	case opBr, opBrIf:
		err = s.branch(in.a)
	case opBrTable:
		err = s.branches(in)
	}
	if in.op.leaves() {
		s.way.cost = nowhere
	}
	s.load.descent.add(in.op)
	return err
}

func (s *surveyor) top() *scope { return &s.scopes[len(s.scopes)-1] }

// declared tells whether the program declares what the instruction names, as far
// as the rewriter adds to it.
func (s *surveyor) declared(in instruction) bool {
	switch in.op {
	case opCall, opRefFunc:
		return in.a < s.m.functionCount()
	case opLocalGet, opLocalSet, opLocalTee:
		return uint64(in.a) < s.load.locals
	case opGlobalGet, opGlobalSet:
		return int64(in.a) < int64(len(s.m.globals))
	case opCallIndirect:
		return int64(in.a) < int64(len(s.m.types))
	case opBlock, opLoop, opIf:
		return in.value < int64(len(s.m.types))
	}
	return true
}

// price is the fuel that the instruction costs. It notes what it means.
func (s *surveyor) price(in instruction) uint64 {
	switch in.op {
	case opCall:
		s.top().calls = true
		if int64(in.a) < int64(len(s.m.imports)) {
			return hostCall
		}
		s.callees = append(s.callees, in.a-uint32(len(s.m.imports)))
	case opCallIndirect:
		s.top().calls = true
		s.callees = append(s.callees, uint32(len(s.m.bodies)))
	case opMemoryGrow:
		return hostCall
	case opMemoryInit, opDataDrop:
		s.names = true
	case opRefFunc:
		s.references = true
		s.referred = s.m.refer(s.referred, in)
	case opTableSet, opTableGrow, opTableFill, opTableCopy, opTableInit, opElemDrop:
		s.references = true
	}
	return 1
}

// called is the type of the function that a call calls.
func (s *surveyor) called(in instruction) signature {
	switch in.op {
	case opCall:
		return s.m.typeOf(in.a)
	case opCallIndirect:
		return s.m.types[in.a]
	}
	return signature{}
}

func (s *surveyor) enter(in instruction) {
	opened := scope{op: in.op, block: s.m.blockType(in.value), before: s.way, meets: nowhere}
	if in.op == opLoop {
		opened.loop = len(s.loops)
		s.loops = append(s.loops, loop{})
		s.open = append(s.open, s.way)
		s.way = way{cost: min(s.way.cost, 0)}
	}
	opened.loops = len(s.open)
	opened.base, opened.landing = s.load.enter(opened), s.load.open(in.op)
	s.scopes = append(s.scopes, opened)
}

// blockType is the type of a block: an index of a type, or below zero no value or
// one of that type.
func (m *module) blockType(value int64) signature {
	switch {
	case value >= 0:
		return m.types[value]
	case byte(value)&0x7f == typeVoid:
		return signature{}
	}
	return signature{results: []byte{byte(value) & 0x7f}}
}

func (s *surveyor) otherwise() error {
	top := s.top()
	if top.op != opIf {
		return errors.New("an else has no if")
	}
	top.op = opElse
	top.meets, s.way.cost = max(top.meets, s.way.cost), top.before.cost
	s.load.otherwise(&top.landing)
	s.load.height = top.base + len(top.block.params)
	return nil
}

// close ends a block.
func (s *surveyor) close() {
	closed := *s.top()
	s.scopes = s.scopes[:len(s.scopes)-1]
	s.load.leave(closed)
	s.load.close(closed.op, closed.landing)
	if len(s.scopes) == 0 {
		s.entry = s.toll()
		return
	}
	top := s.top()
	top.writes += closed.writes
	top.uses += closed.uses
	top.calls = top.calls || closed.calls
	switch closed.op {
	case opLoop:
		s.closeLoop(closed)
	case opIf:
		s.way.cost = max(s.way.cost, closed.meets, closed.before.cost)
	default:
		s.way.cost = max(s.way.cost, closed.meets)
	}
}

// closeLoop ends a loop. The way through it is paid for at its beginning.
func (s *surveyor) closeLoop(closed scope) {
	s.loops[closed.loop] = loop{price: s.toll(), repeats: closed.edges > 0}
	s.hot = s.hot || closed.edges > 0 && !closed.calls
	s.open = s.open[:closed.loops-1]
	if s.way.cost != nowhere {
		s.way.cost = closed.before.cost
	}
	s.way.longest = closed.before.longest
}

// toll is what is to be paid at the beginning of a function or a loop that ends.
func (s *surveyor) toll() uint64 { return uint64(s.way.longest) + s.load.locals/localsUnit }

func (s *surveyor) branch(label uint32) error {
	if int64(label) >= int64(len(s.scopes)) {
		return fmt.Errorf("a branch leaves block %d and %d are open", label, len(s.scopes))
	}
	to := &s.scopes[len(s.scopes)-1-int(label)]
	to.edges++
	if cost := s.way.cost; cost != nowhere && to.loops < len(s.open) {
		to.meets = max(to.meets, s.open[to.loops].cost)
	} else {
		to.meets = max(to.meets, cost)
	}
	s.load.values += uint64(len(to.label()))
	s.load.branch(&to.landing)
	return nil
}

func (s *surveyor) branches(in instruction) (err error) {
	in.eachLabel(func(label uint32) {
		if err == nil {
			err = s.branch(label)
		}
	})
	return err
}
