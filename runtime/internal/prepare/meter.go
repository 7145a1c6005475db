package prepare

import "github.com/wasmagent/wasmagent/policy"

// A metering is the rewriting of a module. It holds the indices of what it adds.
type metering struct {
	*module
	fuel, stack      uint32          // globals: the fuel and the bytes of stack that are left
	tick, checking   uint32          // functions
	bulk, fill, copy uint32          // functions of addBulk
	moved            uint32          // the functions from here on have moved up by one
	handing          map[int64]int64 // types of blocks that hand their parameters on, by those of blocks
}

// meter makes every function count what it executes and what it takes of that many
// bytes of stack. It adds an import, which moves all functions defined in the
// program up by one, and globals and functions behind those of the program.
func meter(m *module, profiles []profile, stack policy.Bytes) {
	mt := &metering{
		module:   m,
		fuel:     uint32(len(m.globals)),
		stack:    uint32(len(m.globals)) + 1,
		tick:     uint32(len(m.imports)),
		moved:    uint32(len(m.imports)),
		checking: m.functionCount() + 1,
		bulk:     m.functionCount() + 2,
		fill:     m.functionCount() + 3,
		copy:     m.functionCount() + 4,
		handing:  map[int64]int64{},
	}
	stack -= measureStack(m, profiles, stack)
	for n, p := range profiles {
		mt.rewrite(n, p)
	}
	mt.renumber()
	mt.addGlobals(stack)
	mt.addFunctions()
}

// renumber moves the functions that are named outside of code.
func (mt *metering) renumber() {
	m := mt.module
	if m.start != nil {
		*m.start = mt.function(*m.start)
	}
	for i, e := range m.exports {
		if e.kind == kindFunction {
			m.exports[i].index = mt.function(e.index)
		}
	}
	for i, g := range m.globals {
		m.globals[i].value = mt.move(g.value)
	}
	for i, e := range m.elements {
		m.elements[i].offset = mt.move(e.offset)
		m.elements[i].entries = mt.entries(e)
	}
}

// function is the new index of a function.
func (mt *metering) function(index uint32) uint32 {
	if index >= mt.moved {
		return index + 1
	}
	return index
}

// move renumbers the function that an instruction names.
func (mt *metering) move(in instruction) instruction {
	if in.op == opCall || in.op == opRefFunc {
		in.a = mt.function(in.a)
	}
	return in
}

// entries renumbers the entries of an element segment.
func (mt *metering) entries(e element) []byte {
	var out []byte
	e.each(func(in instruction) {
		in = mt.move(in)
		if e.flags&elementValues == 0 {
			out = appendUnsigned(out, in.a)
		} else {
			out = opEnd.append(in.append(out))
		}
	})
	return out
}

func (mt *metering) addGlobals(stack policy.Bytes) {
	left := func(n int64) global {
		return global{kind: typeI64, mutable: true, value: instruction{op: opI64Const, value: n}}
	}
	mt.globals = append(mt.globals, left(0), left(int64(stack)))
	mt.exports = append(mt.exports, export{name: FuelExport, kind: kindGlobal, index: mt.fuel})
}

// addFunctions adds the import, which comes last of the imports, and the functions that
// the program's own call.
func (mt *metering) addFunctions() {
	mt.imports = append(mt.imports, imported{
		module: TickModule,
		name:   TickName,
		index:  mt.typeIndex(signature{params: []byte{typeI64}, results: []byte{typeI64}}),
	})
	mt.define(signature{}, mt.checkBody())
	mt.addBulk()
}

func (mt *metering) define(s signature, code []byte) {
	mt.functions = append(mt.functions, mt.typeIndex(s))
	mt.bodies = append(mt.bodies, body{code: code})
}

// typeIndex is the index of a type, which it adds if the module lacks it.
func (mt *metering) typeIndex(s signature) uint32 {
	for i, t := range mt.types {
		if t.equal(s) {
			return uint32(i)
		}
	}
	mt.types = append(mt.types, s)
	return uint32(len(mt.types) - 1)
}

// handOn is the type of a block that has the parameters of a block of another type, and
// them as its results.
func (mt *metering) handOn(kind int64) int64 {
	params := mt.blockType(kind).params
	if len(params) == 0 {
		return blockVoid
	}
	if _, known := mt.handing[kind]; !known {
		mt.handing[kind] = int64(mt.typeIndex(signature{params: params, results: params}))
	}
	return mt.handing[kind]
}

// checkBody is the function that is called when the fuel or the stack is below
// zero.
func (mt *metering) checkBody() []byte {
	exhausted := []instruction{index(opGlobalGet, mt.stack), constant(0), plain(opI64LtS), block(opIf, blockVoid)}
	return assemble(assemble(assemble(nil, exhausted...),
		constant(StackExhausted), index(opCall, mt.tick), index(opGlobalGet, mt.stack), plain(opI64Add), index(opGlobalSet, mt.stack),
	), append(exhausted,
		constant(StackExhausted), index(opCall, mt.tick), plain(opDrop), plain(opUnreachable),
		plain(opEnd),
		plain(opEnd),
		index(opGlobalGet, mt.fuel), index(opCall, mt.tick), index(opGlobalSet, mt.fuel),
		plain(opEnd),
	)...)
}
