package wasmtest

import "encoding/binary"

// An Op is an opcode or the code of a type. An opcode with a prefix has the
// prefix in its upper byte.
type Op uint16

// The types. Void is the type of a block that leaves nothing.
const (
	I32       Op = 0x7f
	I64       Op = 0x7e
	F32       Op = 0x7d
	F64       Op = 0x7c
	V128      Op = 0x7b
	Funcref   Op = 0x70
	Externref Op = 0x6f
	Void      Op = 0x40
)

// The instructions that tests use by name.
const (
	Trap         Op = 0x00 // unreachable
	Nop          Op = 0x01
	Block        Op = 0x02
	Loop         Op = 0x03
	If           Op = 0x04
	Else         Op = 0x05
	End          Op = 0x0b
	Br           Op = 0x0c
	BrIf         Op = 0x0d
	BrTable      Op = 0x0e
	Return       Op = 0x0f
	Call         Op = 0x10
	CallIndirect Op = 0x11
	Drop         Op = 0x1a
	Select       Op = 0x1b
	LocalGet     Op = 0x20
	LocalSet     Op = 0x21
	LocalTee     Op = 0x22
	GlobalGet    Op = 0x23
	GlobalSet    Op = 0x24
	TableGet     Op = 0x25
	TableSet     Op = 0x26
	I32Load      Op = 0x28
	I64Load      Op = 0x29
	I32Load8U    Op = 0x2d
	I32Store     Op = 0x36
	I64Store     Op = 0x37
	I32Store8    Op = 0x3a
	MemorySize   Op = 0x3f
	MemoryGrow   Op = 0x40
	I32Const     Op = 0x41
	I64Const     Op = 0x42
	I32Eqz       Op = 0x45
	I32Eq        Op = 0x46
	I32Ne        Op = 0x47
	I32LtS       Op = 0x48
	I32LtU       Op = 0x49
	I32GtU       Op = 0x4b
	I64Eqz       Op = 0x50
	I32Add       Op = 0x6a
	I32Sub       Op = 0x6b
	I32Mul       Op = 0x6c
	I32And       Op = 0x71
	I32Xor       Op = 0x73
	I32Shl       Op = 0x74
	I64Add       Op = 0x7c
	I64Sub       Op = 0x7d
	I64Mul       Op = 0x7e
	I32WrapI64   Op = 0xa7
	I64ExtendU   Op = 0xad
	RefNull      Op = 0xd0
	RefIsNull    Op = 0xd1
	RefFunc      Op = 0xd2

	MemoryInit Op = 0xfc08
	DataDrop   Op = 0xfc09
	MemoryCopy Op = 0xfc0a
	MemoryFill Op = 0xfc0b
	TableInit  Op = 0xfc0c
	ElemDrop   Op = 0xfc0d
	TableCopy  Op = 0xfc0e
	TableGrow  Op = 0xfc0f
	TableSize  Op = 0xfc10
	TableFill  Op = 0xfc11

	V128Const Op = 0xfd0c
	I32x4Add  Op = 0xfdae
)

// bytes is the opcode as it is encoded: after a prefix, an unsigned LEB128.
func (o Op) bytes() []byte {
	if o < 0x100 {
		return []byte{byte(o)}
	}
	return binary.AppendUvarint([]byte{byte(o >> 8)}, uint64(o&0xff))
}
