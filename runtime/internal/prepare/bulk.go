package prepare

const (
	// A bulk operation costs one more for every 1<<bulkShift bytes, or entries of a
	// table.
	bulkShift = 4
	// bulkPiece is the most bytes that are filled or copied at a time, without a look at
	// the fuel: so long the garbage collector waits.
	bulkPiece = 1 << 20
)

// The parameters of memory.fill and memory.copy.
const (
	bulkTo   = 0
	bulkFrom = 1 // of memory.fill, the value
	bulkSize = 2
)

// addBulk adds the functions that charge for bulk operations: one that returns its
// parameter, the size, and those that are memory.fill and memory.copy themselves.
func (mt *metering) addBulk() {
	mt.define(signature{params: []byte{typeI32}, results: []byte{typeI32}},
		assemble(mt.charge(nil, index(opLocalGet, 0)), index(opLocalGet, 0), plain(opEnd)))
	three := signature{params: []byte{typeI32, typeI32, typeI32}}
	mt.define(three, mt.fillBody())
	mt.define(three, mt.copyBody())
}

// charge takes the fuel for that many bytes or entries.
func (mt *metering) charge(out []byte, size instruction) []byte {
	return assemble(out,
		index(opGlobalGet, mt.fuel),
		size, plain(opI64ExtendU), constant(bulkShift), plain(opI64ShrU), plain(opI64Sub),
		index(opGlobalSet, mt.fuel),
		index(opGlobalGet, mt.fuel), constant(0), plain(opI64LtS), block(opIf, blockVoid), index(opCall, mt.checking), plain(opEnd),
	)
}

// fillBody is memory.fill in pieces.
func (mt *metering) fillBody() []byte {
	out := large(nil, bulkTo)
	out = mt.pieces(out, opMemoryFill, bulkTo)
	return mt.rest(out, opMemoryFill)
}

// copyBody is memory.copy in pieces, the last one first if the destination comes after
// the source, as both may overlap.
func (mt *metering) copyBody() []byte {
	out := large(nil, bulkTo, bulkFrom)
	out = assemble(out, index(opLocalGet, bulkTo), index(opLocalGet, bulkFrom), plain(opI32GtU), block(opIf, blockVoid))
	out = mt.lastPieces(out)
	out = assemble(out, plain(opElse))
	out = mt.pieces(out, opMemoryCopy, bulkTo, bulkFrom)
	out = assemble(out, plain(opEnd))
	return mt.rest(out, opMemoryCopy)
}

// large opens a block and leaves it if there is not more than a piece, or if not all from
// the addresses on is in the memory: that is to trap before anything is changed.
func large(out []byte, addresses ...uint32) []byte {
	out = assemble(out, block(opBlock, blockVoid), index(opLocalGet, bulkSize), piece, plain(opI32LeU), index(opBrIf, 0))
	for _, a := range addresses {
		out = assemble(out,
			index(opLocalGet, a), plain(opI64ExtendU), index(opLocalGet, bulkSize), plain(opI64ExtendU), plain(opI64Add),
			plain(opMemorySize), plain(opI64ExtendU), constant(16), plain(opI64Shl), plain(opI64GtU), index(opBrIf, 0))
	}
	return out
}

// pieces does the operation piece by piece, and moves the addresses.
func (mt *metering) pieces(out []byte, op opcode, addresses ...uint32) []byte {
	out = mt.charge(assemble(out, block(opLoop, blockVoid)), piece)
	out = assemble(out, index(opLocalGet, bulkTo), index(opLocalGet, bulkFrom), piece, plain(op))
	for _, a := range addresses {
		out = assemble(out, index(opLocalGet, a), piece, plain(opI32Add), index(opLocalSet, a))
	}
	return again(assemble(out, smaller...))
}

// lastPieces copies piece by piece from the end on.
func (mt *metering) lastPieces(out []byte) []byte {
	out = mt.charge(assemble(out, block(opLoop, blockVoid)), piece)
	out = assemble(out, smaller...)
	for _, a := range []uint32{bulkTo, bulkFrom} {
		out = assemble(out, index(opLocalGet, a), index(opLocalGet, bulkSize), plain(opI32Add))
	}
	return again(assemble(out, piece, plain(opMemoryCopy)))
}

// again repeats a loop while there is more than a piece.
func again(out []byte) []byte {
	return assemble(out, index(opLocalGet, bulkSize), piece, plain(opI32GtU), index(opBrIf, 0), plain(opEnd))
}

// rest closes the block, and does the operation with what is left.
func (mt *metering) rest(out []byte, op opcode) []byte {
	out = mt.charge(assemble(out, plain(opEnd)), index(opLocalGet, bulkSize))
	return assemble(out, index(opLocalGet, bulkTo), index(opLocalGet, bulkFrom), index(opLocalGet, bulkSize), plain(op), plain(opEnd))
}

// piece is the size of a piece; smaller takes it off the size that is left.
var (
	piece   = instruction{op: opI32Const, value: bulkPiece}
	smaller = []instruction{index(opLocalGet, bulkSize), piece, plain(opI32Sub), index(opLocalSet, bulkSize)}
)
