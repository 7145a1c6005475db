package main

import (
	"encoding/binary"
	"slices"
)

// The WASI functions of a guest's imports, in the order of the indices below.
// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
const (
	fdWrite = iota
	procExit
	pathOpen
	start // the guest's own function
)

// The types of values, and the codes of instructions.
const (
	i32, i64 = 0x7f, 0x7e

	block, loop, brIf, br, end, call, drop, i32Const, i64Const = 0x02, 0x03, 0x0d, 0x0c, 0x0b, 0x10, 0x1a, 0x41, 0x42
	empty                                                      = 0x40 // the type of a block without a result
)

// answering is a guest that prints a text and exits with a status below 64.
func answering(text string, status byte) []byte {
	return guest(text, slices.Concat(
		i32s(1, 0, 1, 8), []byte{call, fdWrite, drop},
		i32s(status), []byte{call, procExit}))
}

// opening is a guest that exits with 0 if it can open a path, else with 2.
func opening(path string) []byte {
	return guest(path, slices.Concat(
		i32s(1, 0, 1, 8), []byte{call, fdWrite, drop},
		[]byte{block, empty},
		i32s(3, 0, textAt+1, byte(len(path)-1), 0), // relative to "/", without its "/"
		[]byte{i64Const, 2, i64Const, 0},           // the right to read
		i32s(0, 8), []byte{call, pathOpen, brIf, 0},
		i32s(0), []byte{call, procExit, end},
		i32s(2), []byte{call, procExit}))
}

// spinning is a guest that does not end.
func spinning() []byte { return guest("", []byte{loop, empty, br, 0, end}) }

// reacting is a reactor whose runs end with a status below 64.
// https://webassembly.github.io/spec/core/binary/modules.html
func reacting(status byte) []byte {
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, vector([]byte{0x60, 0, 1, i32})),
		section(3, vector([]byte{0})),
		section(5, vector([]byte{0, 1})),
		section(7, vector(append(sized([]byte("memory")), 2, 0), append(sized([]byte("check")), 0, 0))),
		section(10, vector(sized([]byte{0, i32Const, status, end}))))
}

// textAt is where a guest's text is in its memory; the two words before it, at
// 0 and 4, are the text as an iovec.
const textAt = 16

// guest assembles a program that has a text in its memory and a body.
// https://webassembly.github.io/spec/core/binary/modules.html
func guest(text string, body []byte) []byte {
	data := make([]byte, textAt, textAt+len(text))
	binary.LittleEndian.PutUint32(data, textAt)
	binary.LittleEndian.PutUint32(data[4:], uint32(len(text)))
	data = append(data, text...)
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, vector( // types
			[]byte{0x60, 4, i32, i32, i32, i32, 1, i32},
			[]byte{0x60, 1, i32, 0},
			[]byte{0x60, 9, i32, i32, i32, i32, i32, i64, i64, i32, i32, 1, i32},
			[]byte{0x60, 0, 0})),
		section(2, vector(imported("fd_write", 0), imported("proc_exit", 1), imported("path_open", 2))),
		section(3, vector([]byte{3})),
		section(5, vector([]byte{0, 1})),
		section(7, vector(append(sized([]byte("memory")), 2, 0), append(sized([]byte("_start")), 0, start))),
		section(10, vector(sized(slices.Concat([]byte{0}, body, []byte{end})))),
		section(11, vector(slices.Concat([]byte{0, i32Const, 0, end}, sized(data)))))
}

func imported(name string, typ byte) []byte {
	return slices.Concat(sized([]byte("wasi_snapshot_preview1")), sized([]byte(name)), []byte{0, typ})
}

func section(id byte, content []byte) []byte { return append([]byte{id}, sized(content)...) }

func vector(items ...[]byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(items))), slices.Concat(items...)...)
}

// sized puts the length before the bytes.
func sized(b []byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }

// i32s are instructions that push numbers below 64.
func i32s(numbers ...byte) []byte {
	var code []byte
	for _, n := range numbers {
		code = append(code, i32Const, n)
	}
	return code
}
