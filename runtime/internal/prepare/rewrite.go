package prepare

// A rewriting is that of one function.
//
// A function that can recurse gives its stack back however it ends: its body
// becomes a block that a return, too, only leaves, so that labels keep their
// numbers. A function with a hot loop keeps the fuel in a local of its own, which
// is faster, and in the global while it calls and when it ends.
type rewriting struct {
	*metering
	profile
	local uint32 // where the fuel is in a function with a hot loop
	out   []byte
}

// rewrite makes the nth function count.
func (mt *metering) rewrite(n int, p profile) {
	b := &mt.bodies[n]
	w := rewriting{metering: mt, profile: p, local: uint32(mt.localCount(n))}
	w.out = make([]byte, 0, len(b.code)+len(b.code)/4+64)
	w.enter(mt.types[mt.functions[n]].results)
	depth := uint32(0)
	for r := (reader{bytes: b.code}); r.more(); {
		in := mt.move(r.instruction())
		switch in.op {
		case opBlock, opIf, opLoop:
			depth++
		case opEnd:
			depth--
		case opReturn:
			if w.wrapped() {
				in = index(opBr, depth)
			}
		}
		w.instruction(in)
	}
	w.leave()
	b.code = w.out
	if p.hot {
		b.locals = append(b.locals, run{count: 1, kind: typeI64})
	}
}

// wrapped tells whether the body becomes a block.
func (w *rewriting) wrapped() bool { return w.calls || w.hot }

// enter charges for the entry of the function.
func (w *rewriting) enter(results []byte) {
	w.load()
	w.spend(w.entry)
	if w.calls {
		w.write(index(opGlobalGet, w.stack), constant(int64(w.frame)), plain(opI64Sub), index(opGlobalSet, w.stack))
		w.check(index(opGlobalGet, w.stack), plain(opI64Or))
	} else {
		w.check()
	}
	if w.wrapped() {
		w.write(block(opBlock, w.blockValue(results)))
	}
}

// instruction writes one of the program's, with what it costs.
func (w *rewriting) instruction(in instruction) {
	switch in.op {
	case opCall, opCallIndirect:
		w.call(in)
		return
	case opMemoryFill:
		w.call(index(opCall, w.fill))
		return
	case opMemoryCopy:
		w.call(index(opCall, w.copy))
		return
	case opMemoryInit, opTableInit, opTableCopy, opTableGrow, opTableFill:
		w.call(index(opCall, w.bulk))
	}
	w.write(in)
	if in.op != opLoop {
		return
	}
	if price := w.loops[0]; price > 0 {
		w.spend(price)
		w.check()
	}
	w.loops = w.loops[1:]
}

// leave gives the stack back.
func (w *rewriting) leave() {
	if w.wrapped() {
		w.store()
	}
	if w.calls {
		w.write(index(opGlobalGet, w.stack), constant(int64(w.frame)), plain(opI64Add), index(opGlobalSet, w.stack))
	}
	if w.wrapped() {
		w.write(plain(opEnd))
	}
}

// spend takes fuel away.
func (w *rewriting) spend(fuel uint64) {
	w.write(w.get(), constant(int64(fuel)), plain(opI64Sub), w.set())
}

// check calls the check if the fuel, to which more instructions may add, is below
// zero.
func (w *rewriting) check(more ...instruction) {
	w.write(w.get())
	w.write(more...)
	w.write(constant(0), plain(opI64LtS), block(opIf, blockVoid))
	w.call(index(opCall, w.checking))
	w.write(plain(opEnd))
}

// call writes a call, with the fuel in the global.
func (w *rewriting) call(in instruction) {
	w.store()
	w.write(in)
	w.load()
}

// get and set are the instructions that read and write the fuel.
func (w *rewriting) get() instruction {
	if w.hot {
		return index(opLocalGet, w.local)
	}
	return index(opGlobalGet, w.fuel)
}

func (w *rewriting) set() instruction {
	if w.hot {
		return index(opLocalSet, w.local)
	}
	return index(opGlobalSet, w.fuel)
}

// store and load move the fuel between the local, if there is one, and the global.
func (w *rewriting) store() {
	if w.hot {
		w.write(w.get(), index(opGlobalSet, w.fuel))
	}
}

func (w *rewriting) load() {
	if w.hot {
		w.write(index(opGlobalGet, w.fuel), w.set())
	}
}

// blockValue encodes the type of a block that has no parameters.
func (mt *metering) blockValue(results []byte) int64 {
	switch len(results) {
	case 0:
		return blockVoid
	case 1:
		return int64(results[0]) - 0x80
	}
	return int64(mt.typeIndex(signature{results: results}))
}

func (w *rewriting) write(code ...instruction) { w.out = assemble(w.out, code...) }

const blockVoid = typeVoid - 0x80

func plain(op opcode) instruction             { return instruction{op: op} }
func index(op opcode, i uint32) instruction   { return instruction{op: op, a: i} }
func constant(v int64) instruction            { return instruction{op: opI64Const, value: v} }
func block(op opcode, kind int64) instruction { return instruction{op: op, value: kind} }

func assemble(out []byte, code ...instruction) []byte {
	for _, in := range code {
		out = in.append(out)
	}
	return out
}
