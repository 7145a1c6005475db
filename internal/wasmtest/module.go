// Package wasmtest assembles WebAssembly programs for tests, with no external
// tool: a builder of modules, and the ready-made guests that a sandbox must
// survive.
//
// What it makes is a plain WASI preview 1 command unless a function says
// otherwise. It holds no state; everything is safe for concurrent use. A mistake
// in the use of the builder panics, for only tests use it.
package wasmtest

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Preview1 is the import module of WASI preview 1.
const Preview1 = "wasi_snapshot_preview1"

// Page is the size in bytes of a page of linear memory.
const Page = 65536

// A Signature is a function's type; each element is one of I32, I64, F32, F64,
// V128, Funcref and Externref.
type Signature struct{ Params, Results []Op }

// An Import is one imported function. Imports come first in the index space.
type Import struct {
	Module, Name string
	Type         Signature
}

// A Func is one function of the module; Code is its instructions without the
// last end.
type Func struct {
	Type   Signature
	Locals []Op
	Code   []byte
	Export string // exported under this name unless empty
}

// A Bound is the size of a memory in pages or of a table in entries; Max zero is
// none.
type Bound struct{ Min, Max uint32 }

// A Global is one mutable global; Init is its constant expression without the
// end.
type Global struct {
	Type   Op
	Init   []byte
	Export string
}

// A Data is one data segment, active at Offset or passive.
type Data struct {
	Offset  int32
	Bytes   []byte
	Passive bool
}

// A Module is a program to be assembled. It always has one memory, exported as
// "memory" unless Hidden.
type Module struct {
	Imports  []Import
	Funcs    []Func
	Memory   Bound
	Hidden   bool    // the memory is not exported
	Tables   []Bound // of funcref
	Elements []uint32
	Globals  []Global
	Data     []Data
	Start    *uint32
}

// Command is a module of one memory page whose one function is _start.
func Command(imports []Import, code []byte, data ...Data) Module {
	return Module{
		Imports: imports,
		Memory:  Bound{Min: 1},
		Funcs:   []Func{{Code: code, Export: "_start"}},
		Data:    data,
	}
}

// Bytes is the module in the binary format of
// https://webassembly.github.io/spec/core/binary/modules.html. Elements are one
// active segment at the start of the first table.
func (m Module) Bytes() []byte {
	types, index := m.types()
	sections := [][][]byte{
		1:  types,
		2:  each(m.Imports, func(i Import) []byte { return cat(name(i.Module), name(i.Name), Code(Raw(0), index(i.Type))) }),
		3:  each(m.Funcs, func(f Func) []byte { return Code(index(f.Type)) }),
		4:  each(m.Tables, func(b Bound) []byte { return cat([]byte{byte(Funcref)}, b.bytes()) }),
		5:  {m.Memory.bytes()},
		6:  each(m.Globals, func(g Global) []byte { return Code(g.Type, Raw(1), g.Init, End) }),
		7:  m.exports(),
		9:  m.elements(),
		10: each(m.Funcs, Func.body),
		11: each(m.Data, Data.bytes),
		12: nil,
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11} {
		switch {
		case id == 8 && m.Start != nil:
			out = append(out, section(id, Code(*m.Start))...)
		case id == 12 && len(m.Data) > 0:
			out = append(out, section(id, Code(uint32(len(m.Data))))...)
		case len(sections[id]) > 0:
			out = append(out, section(id, vector(sections[id]))...)
		}
	}
	return out
}

// types lists the distinct signatures, and a function that finds one's index.
func (m Module) types() ([][]byte, func(Signature) uint32) {
	var types [][]byte
	for _, i := range m.Imports {
		types = append(types, i.Type.bytes())
	}
	for _, f := range m.Funcs {
		types = append(types, f.Type.bytes())
	}
	slices.SortFunc(types, slices.Compare)
	types = slices.CompactFunc(types, slices.Equal)
	return types, func(s Signature) uint32 {
		return uint32(slices.IndexFunc(types, func(t []byte) bool { return slices.Equal(t, s.bytes()) }))
	}
}

func (m Module) exports() [][]byte {
	var list [][]byte
	if !m.Hidden {
		list = append(list, cat(name("memory"), []byte{2, 0}))
	}
	for i, f := range m.Funcs {
		if f.Export != "" {
			list = append(list, cat(name(f.Export), Code(Raw(0), uint32(len(m.Imports)+i))))
		}
	}
	for i, g := range m.Globals {
		if g.Export != "" {
			list = append(list, cat(name(g.Export), Code(Raw(3), uint32(i))))
		}
	}
	return list
}

func (m Module) elements() [][]byte {
	if len(m.Elements) == 0 {
		return nil
	}
	functions := each(m.Elements, func(i uint32) []byte { return Code(i) })
	return [][]byte{cat(Code(Raw(0), I32Const, 0, End), vector(functions))}
}

func (s Signature) bytes() []byte { return cat([]byte{0x60}, ops(s.Params), ops(s.Results)) }

func (b Bound) bytes() []byte {
	if b.Max == 0 {
		return Code(Raw(0), b.Min)
	}
	return Code(Raw(1), b.Min, b.Max)
}

func (f Func) body() []byte {
	locals := each(f.Locals, func(t Op) []byte { return Code(uint32(1), t) })
	return sized(cat(vector(locals), f.Code, []byte{byte(End)}))
}

func (d Data) bytes() []byte {
	if d.Passive {
		return cat([]byte{1}, sized(d.Bytes))
	}
	return cat(Code(Raw(0), I32Const, int(d.Offset), End), sized(d.Bytes))
}

// Raw is one byte of code that is no opcode.
type Raw byte

// Code assembles instructions. An Op or a Raw is itself; an int is a signed
// immediate, as constants have; a uint32 is an unsigned one, as indices, labels,
// alignments and offsets are; a []byte is code that was assembled before.
func Code(parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch p := part.(type) {
		case Op:
			out = append(out, p.bytes()...)
		case Raw:
			out = append(out, byte(p))
		case int:
			out = appendSigned(out, int64(p))
		case uint32:
			out = binary.AppendUvarint(out, uint64(p))
		case []byte:
			out = append(out, p...)
		default:
			panic(fmt.Sprintf("wasmtest: Code of a %T", part))
		}
	}
	return out
}

func appendSigned(out []byte, v int64) []byte {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

func each[T any](list []T, encode func(T) []byte) [][]byte {
	var out [][]byte
	for _, item := range list {
		out = append(out, encode(item))
	}
	return out
}

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

func sized(b []byte) []byte { return cat(Code(uint32(len(b))), b) }

func name(s string) []byte { return sized([]byte(s)) }

func vector(items [][]byte) []byte { return cat(Code(uint32(len(items))), cat(items...)) }

func section(id byte, content []byte) []byte { return cat([]byte{id}, sized(content)) }

func ops(list []Op) []byte { return vector(each(list, func(o Op) []byte { return []byte{byte(o)} })) }

// Reactor returns a module whose _initialize and check have that code; check leaves
// the exit status.
func Reactor(imports []Import, initialize, check []byte, data ...Data) Module {
	m := Command(imports, initialize, data...)
	m.Funcs[0].Export = "_initialize"
	m.Funcs = append(m.Funcs, Func{Type: Signature{Results: []Op{I32}}, Code: check, Export: "check"})
	return m
}
