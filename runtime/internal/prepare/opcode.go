package prepare

// An opcode is an instruction's code; one with a prefix has the prefix in its upper
// byte.
type opcode uint16

// The opcodes that the rewriter knows by name.
const (
	opUnreachable  opcode = 0x00
	opBlock        opcode = 0x02
	opLoop         opcode = 0x03
	opIf           opcode = 0x04
	opElse         opcode = 0x05
	opEnd          opcode = 0x0b
	opThrow        opcode = 0x08
	opBr           opcode = 0x0c
	opBrIf         opcode = 0x0d
	opBrTable      opcode = 0x0e
	opReturn       opcode = 0x0f
	opCall         opcode = 0x10
	opCallIndirect opcode = 0x11
	opDrop         opcode = 0x1a
	opLocalGet     opcode = 0x20
	opLocalSet     opcode = 0x21
	opLocalTee     opcode = 0x22
	opGlobalGet    opcode = 0x23
	opGlobalSet    opcode = 0x24
	opTableSet     opcode = 0x26
	opMemorySize   opcode = 0x3f
	opMemoryGrow   opcode = 0x40
	opI32Const     opcode = 0x41
	opI64Const     opcode = 0x42
	opF32Const     opcode = 0x43
	opF64Const     opcode = 0x44
	opI32GtU       opcode = 0x4b
	opI32LeU       opcode = 0x4d
	opI64LtS       opcode = 0x53
	opI64GtU       opcode = 0x56
	opI32Add       opcode = 0x6a
	opI32Sub       opcode = 0x6b
	opI64Add       opcode = 0x7c
	opI64Sub       opcode = 0x7d
	opI64Or        opcode = 0x84
	opI64Shl       opcode = 0x86
	opI64ShrU      opcode = 0x88
	opI64ExtendU   opcode = 0xad
	opRefNull      opcode = 0xd0
	opRefFunc      opcode = 0xd2
	opMemoryInit   opcode = 0xfc08
	opDataDrop     opcode = 0xfc09
	opMemoryCopy   opcode = 0xfc0a
	opMemoryFill   opcode = 0xfc0b
	opTableInit    opcode = 0xfc0c
	opElemDrop     opcode = 0xfc0d
	opTableCopy    opcode = 0xfc0e
	opTableGrow    opcode = 0xfc0f
	opTableFill    opcode = 0xfc11
	opV128Const    opcode = 0xfd0c
)

const (
	prefixMisc   = 0xfc
	prefixVector = 0xfd
)

// The value types, and the type of a block without values.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeVoid      = 0x40
)

// A form is the shape of what follows an opcode.
type form byte

const (
	formUnknown    form = iota
	formNone            // nothing
	formBlock           // a block type
	formIndex           // one index: label, function, local, global, table, segment
	formLabels          // the labels of br_table
	formIndices         // two indices
	formZero            // the index of the memory, a byte that is zero
	formZeros           // two of them
	formMemory          // an alignment and an offset
	formMemoryLane      // the same and the number of a lane
	formI32             // a signed number of 32 bits
	formI64             // a signed number of 64 bits
	form1               // that many bytes
	form4
	form8
	form16
	formTypes // a vector of value types
)

// size is the number of bytes of the forms that are plain bytes.
func (f form) size() uint64 {
	switch f {
	case form1:
		return 1
	case form4:
		return 4
	case form8:
		return 8
	case form16:
		return 16
	}
	return 0
}

// A shape is what the tables know of an instruction: what follows its opcode, and
// by how much it changes the height of the operand stack, where that is fixed.
type shape struct {
	form  form
	delta int8
}

// A span gives opcodes from first to last one shape.
type span struct {
	first, last byte
	form        form
	delta       int8
}

// The shapes of the instructions without a prefix, and after each prefix. What is
// not here is unknown.
var (
	plainShapes = shapes([]span{
		{0x00, 0x01, formNone, 0}, {0x02, 0x03, formBlock, 0}, {0x04, 0x04, formBlock, -1},
		{0x05, 0x05, formNone, 0}, {0x0b, 0x0b, formNone, 0},
		{0x0c, 0x0c, formIndex, 0}, {0x0d, 0x0d, formIndex, -1}, {0x0e, 0x0e, formLabels, -1}, {0x0f, 0x0f, formNone, 0},
		{0x10, 0x10, formIndex, 0}, {0x11, 0x11, formIndices, -1},
		{0x1a, 0x1a, formNone, -1}, {0x1b, 0x1b, formNone, -2}, {0x1c, 0x1c, formTypes, -2},
		{0x20, 0x20, formIndex, +1}, {0x21, 0x21, formIndex, -1}, {0x22, 0x22, formIndex, 0},
		{0x23, 0x23, formIndex, +1}, {0x24, 0x24, formIndex, -1}, {0x25, 0x25, formIndex, 0}, {0x26, 0x26, formIndex, -2},
		{0x28, 0x35, formMemory, 0}, {0x36, 0x3e, formMemory, -2}, {0x3f, 0x3f, formZero, +1}, {0x40, 0x40, formZero, 0},
		{0x41, 0x41, formI32, +1}, {0x42, 0x42, formI64, +1}, {0x43, 0x43, form4, +1}, {0x44, 0x44, form8, +1},
		{0x45, 0x45, formNone, 0}, {0x46, 0x4f, formNone, -1}, {0x50, 0x50, formNone, 0}, {0x51, 0x66, formNone, -1},
		{0x67, 0x69, formNone, 0}, {0x6a, 0x78, formNone, -1}, {0x79, 0x7b, formNone, 0}, {0x7c, 0x8a, formNone, -1},
		{0x8b, 0x91, formNone, 0}, {0x92, 0x98, formNone, -1}, {0x99, 0x9f, formNone, 0}, {0xa0, 0xa6, formNone, -1},
		{0xa7, 0xc4, formNone, 0},
		{0xd0, 0xd0, form1, +1}, {0xd1, 0xd1, formNone, 0}, {0xd2, 0xd2, formIndex, +1},
	})
	miscShapes = shapes([]span{
		{0x00, 0x07, formNone, 0}, {0x08, 0x08, formIndices, -3}, {0x09, 0x09, formIndex, 0}, {0x0a, 0x0a, formZeros, -3},
		{0x0b, 0x0b, formZero, -3}, {0x0c, 0x0c, formIndices, -3}, {0x0d, 0x0d, formIndex, 0}, {0x0e, 0x0e, formIndices, -3},
		{0x0f, 0x0f, formIndex, -1}, {0x10, 0x10, formIndex, +1}, {0x11, 0x11, formIndex, -3},
	})
	vectorShapes = shapes([]span{
		{0x00, 0x0a, formMemory, 0}, {0x0b, 0x0b, formMemory, -2}, {0x0c, 0x0c, form16, +1}, {0x0d, 0x0d, form16, -1},
		{0x0e, 0x0e, formNone, -1}, {0x0f, 0x14, formNone, 0},
		{0x15, 0x16, form1, 0}, {0x17, 0x17, form1, -1}, {0x18, 0x19, form1, 0}, {0x1a, 0x1a, form1, -1},
		{0x1b, 0x1b, form1, 0}, {0x1c, 0x1c, form1, -1}, {0x1d, 0x1d, form1, 0}, {0x1e, 0x1e, form1, -1},
		{0x1f, 0x1f, form1, 0}, {0x20, 0x20, form1, -1}, {0x21, 0x21, form1, 0}, {0x22, 0x22, form1, -1},
		{0x23, 0x4c, formNone, -1}, {0x4d, 0x4d, formNone, 0}, {0x4e, 0x51, formNone, -1}, {0x52, 0x52, formNone, -2},
		{0x53, 0x53, formNone, 0}, {0x54, 0x57, formMemoryLane, -1}, {0x58, 0x5b, formMemoryLane, -2},
		{0x5c, 0x5d, formMemory, 0}, {0x5e, 0x64, formNone, 0}, {0x65, 0x66, formNone, -1}, {0x67, 0x6a, formNone, 0},
		{0x6b, 0x73, formNone, -1}, {0x74, 0x75, formNone, 0}, {0x76, 0x79, formNone, -1}, {0x7a, 0x7a, formNone, 0},
		{0x7b, 0x7b, formNone, -1}, {0x7c, 0x81, formNone, 0}, {0x82, 0x82, formNone, -1}, {0x83, 0x84, formNone, 0},
		{0x85, 0x86, formNone, -1}, {0x87, 0x8a, formNone, 0}, {0x8b, 0x93, formNone, -1}, {0x94, 0x94, formNone, 0},
		{0x95, 0x99, formNone, -1}, {0x9b, 0x9f, formNone, -1}, {0xa0, 0xa1, formNone, 0}, {0xa3, 0xa4, formNone, 0},
		{0xa7, 0xaa, formNone, 0}, {0xab, 0xae, formNone, -1}, {0xb1, 0xb1, formNone, -1}, {0xb5, 0xba, formNone, -1},
		{0xbc, 0xbf, formNone, -1}, {0xc0, 0xc1, formNone, 0}, {0xc3, 0xc4, formNone, 0}, {0xc7, 0xca, formNone, 0},
		{0xcb, 0xce, formNone, -1}, {0xd1, 0xd1, formNone, -1}, {0xd5, 0xdf, formNone, -1}, {0xe0, 0xe1, formNone, 0},
		{0xe3, 0xe3, formNone, 0}, {0xe4, 0xeb, formNone, -1}, {0xec, 0xed, formNone, 0}, {0xef, 0xef, formNone, 0},
		{0xf0, 0xf7, formNone, -1}, {0xf8, 0xff, formNone, 0},
	})
)

func shapes(spans []span) *[256]shape {
	var table [256]shape
	for _, s := range spans {
		for op := int(s.first); op <= int(s.last); op++ {
			table[op] = shape{s.form, s.delta}
		}
	}
	return &table
}

// shape looks the opcode up.
func (op opcode) shape() shape {
	switch op >> 8 {
	case prefixMisc:
		return miscShapes[op&0xff]
	case prefixVector:
		return vectorShapes[op&0xff]
	}
	return plainShapes[op]
}

// proposal names what an opcode that the tables lack belongs to, and how to build
// without it.
func proposal(prefix opcode) string {
	switch {
	case prefix >= 0x06 && prefix <= 0x0a || prefix == 0x18 || prefix == 0x19 || prefix == 0x1f:
		return "exception handling; build without it (clang: -fno-exceptions; Rust: panic=abort)"
	case prefix == 0x12 || prefix == 0x13:
		return "tail calls; build without them (clang: -mno-tail-call)"
	case prefix == 0x14 || prefix == 0x15 || prefix >= 0xd3 && prefix <= 0xd6:
		return "typed function references; build without them"
	case prefix == 0xfb:
		return "garbage collection; build for linear memory"
	case prefix == 0xfe:
		return "threads; build without them (clang: no -pthread)"
	case prefix == prefixVector:
		return "relaxed SIMD; build without it (clang: -mno-relaxed-simd)"
	}
	return ""
}

// leaves tells whether control never gets to the instruction after this one.
func (op opcode) leaves() bool {
	return op == opBr || op == opBrTable || op == opReturn || op == opUnreachable
}
