package prepare

// A rewriting is that of one function.
//
// Where the fuel is looked at and there is none left, a branch leads to code behind all
// other, which calls the check and comes back by a loop around the whole:
//
//	charge                          block
//	loop                              loop
//	  block                             block
//	    less than zero? br_if 0           charge
//	    block                             less than zero? br_if 0
//	      the function                    block
//	    end                                 the loop
//	    return                            end
//	  end                                 br 2
//	  check                             end
//	  br 0                              check, give the charge back
//	end                                 br 0
//	                                  end
//	                                end
//
// A compiler that allocates registers block after block, in this order, then allocates
// them as if nothing called the check: what saves and restores them is in the code
// behind. Without the block within, values left over would go unnoticed at the branch that
// follows, and a program that is not valid would become one that is.
//
// A function that can recurse gives its stack back however it ends, so that a return only
// leaves the block. A function with a hot loop keeps the fuel in a local of its own, which
// is faster, and in the global while it calls and when it ends.
type rewriting struct {
	*metering
	profile
	local  uint32  // where the fuel is in a function with a hot loop
	depth  uint32  // the open blocks
	labels []label // of the program's open blocks
	out    []byte
}

// A label is what is known of an open block of the program.
type label struct {
	depth  uint32 // how many blocks are open in it, with those around it and itself
	checks bool   // it is a loop that looks at the fuel
	loop   loop
}

// rewrite makes the nth function count.
func (mt *metering) rewrite(n int, p profile) {
	b := &mt.bodies[n]
	w := rewriting{metering: mt, profile: p, local: uint32(mt.localCount(n))}
	w.out = make([]byte, 0, len(b.code)+len(b.code)/4+64)
	w.enter(mt.types[mt.functions[n]].results)
	for r := (reader{bytes: b.code}); len(w.labels) > 0; {
		w.instruction(mt.move(r.instruction()))
	}
	b.code = w.out
	if p.hot {
		b.locals = append(b.locals, run{count: 1, kind: typeI64})
	}
}

// enter charges for the entry of the function.
func (w *rewriting) enter(results []byte) {
	w.load()
	w.spend(w.entry)
	kind := w.blockValue(results)
	if w.recurs {
		w.write(index(opGlobalGet, w.stack), constant(int64(w.frame)), plain(opI64Sub), index(opGlobalSet, w.stack))
		w.open(block(opLoop, kind), block(opBlock, blockVoid))
		w.look(index(opGlobalGet, w.stack), plain(opI64Or))
	} else {
		w.open(block(opLoop, kind), block(opBlock, blockVoid))
		w.look()
	}
	w.open(block(opBlock, kind))
	w.labels = append(w.labels, label{depth: w.depth})
}

// leave ends the function, after it has given the stack back.
func (w *rewriting) leave() {
	w.close()
	w.store()
	if w.recurs {
		w.write(index(opGlobalGet, w.stack), constant(int64(w.frame)), plain(opI64Add), index(opGlobalSet, w.stack))
	}
	w.write(plain(opReturn))
	w.close()
	w.call(index(opCall, w.checking))
	w.write(index(opBr, 0))
	w.close()
	w.write(plain(opEnd))
}

// instruction writes one of the program's, with what it costs.
func (w *rewriting) instruction(in instruction) {
	switch in.op {
	case opCall, opCallIndirect:
		w.call(in)
	case opMemoryFill:
		w.call(index(opCall, w.fill))
	case opMemoryCopy:
		w.call(index(opCall, w.copy))
	case opMemoryInit, opTableInit, opTableCopy, opTableGrow, opTableFill:
		w.call(index(opCall, w.bulk))
		w.write(in)
	case opBlock, opIf:
		w.open(in)
		w.labels = append(w.labels, label{depth: w.depth})
	case opLoop:
		w.enterLoop(in)
	case opEnd:
		w.end()
	default:
		w.write(w.branch(in))
	}
}

// branch gives the labels that an instruction names their new numbers.
func (w *rewriting) branch(in instruction) instruction {
	number := func(label uint32) uint32 { return w.depth - w.labels[len(w.labels)-1-int(label)].depth }
	switch in.op {
	case opBr, opBrIf:
		in.a = number(in.a)
	case opBrTable:
		var labels []byte
		in.eachLabel(func(label uint32) { labels = appendUnsigned(labels, number(label)) })
		in.bytes = labels
	case opReturn:
		if w.recurs || w.hot {
			return index(opBr, w.depth-w.labels[0].depth)
		}
	}
	return in
}

// enterLoop begins a loop, with what it costs.
func (w *rewriting) enterLoop(in instruction) {
	l := label{loop: w.loops[0]}
	w.loops = w.loops[1:]
	if l.checks = l.loop.repeats; l.checks {
		w.open(block(opBlock, in.value))
	}
	w.open(in)
	l.depth = w.depth
	if l.checks {
		w.open(block(opBlock, w.handOn(in.value)))
	}
	w.spend(l.loop.price)
	if l.checks {
		w.look()
		w.open(block(opBlock, in.value))
	}
	w.labels = append(w.labels, l)
}

// end ends a block, or the function.
func (w *rewriting) end() {
	last := len(w.labels) - 1
	ended := w.labels[last]
	w.labels = w.labels[:last]
	switch {
	case last == 0:
		w.leave()
	case ended.checks:
		w.close()
		w.write(index(opBr, 2))
		w.close()
		w.call(index(opCall, w.checking))
		w.write(w.get(), constant(int64(ended.loop.price)), plain(opI64Add), w.set(), index(opBr, 0))
		w.close()
		w.close()
	default:
		w.close()
	}
}

// spend takes fuel away.
func (w *rewriting) spend(fuel uint64) {
	w.write(w.get(), constant(int64(fuel)), plain(opI64Sub), w.set())
}

// look leaves the block if the fuel, to which more instructions may add, is below zero.
func (w *rewriting) look(more ...instruction) {
	w.write(w.get())
	w.write(more...)
	w.write(constant(0), plain(opI64LtS), index(opBrIf, 0))
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

// open begins blocks, and close ends one.
func (w *rewriting) open(blocks ...instruction) {
	w.write(blocks...)
	w.depth += uint32(len(blocks))
}

func (w *rewriting) close() {
	w.write(plain(opEnd))
	w.depth--
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
