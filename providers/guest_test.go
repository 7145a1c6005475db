package providers_test

import (
	"encoding/binary"
	"slices"
	"strings"
)

// What follows assembles the few WebAssembly programs that the tests run.

// A guest is a WASI command with one page of memory.
type guest struct {
	data string // in memory from address 1024 on
	code []byte
}

// The imported functions by index, all of them from WASI preview 1; the types
// are those of wasi_snapshot_preview1.
var imports = []struct {
	name   string
	params string
	result string
}{
	{"fd_write", "\x7f\x7f\x7f\x7f", "\x7f"},
	{"proc_exit", "\x7f", ""},
	{"args_sizes_get", "\x7f\x7f", "\x7f"},
	{"args_get", "\x7f\x7f", "\x7f"},
	{"path_open", "\x7f\x7f\x7f\x7f\x7f\x7e\x7e\x7f\x7f", "\x7f"},
}

const (
	fdWrite = iota
	procExit
	argsSizesGet
	argsGet
	pathOpen
)

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func sleb(n int32) []byte {
	var out []byte
	for {
		b := byte(n & 0x7f)
		n >>= 7
		if done := n == 0 && b&0x40 == 0 || n == -1 && b&0x40 != 0; done {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

func i32(n int) []byte { return append([]byte{0x41}, sleb(int32(n))...) }

// call calls an import with constants.
func call(function int, args ...int) []byte {
	var code []byte
	for _, arg := range args {
		code = append(code, i32(arg)...)
	}
	return append(append(code, 0x10), uleb(function)...)
}

// store puts what value leaves on the stack at an address.
func store(address int, value []byte) []byte {
	return slices.Concat(i32(address), value, []byte{0x36, 2, 0})
}

func load(address int) []byte { return append(i32(address), 0x28, 2, 0) }

// write is the code that writes size bytes from an address to a descriptor.
func write(fd, address int, size []byte) []byte {
	return slices.Concat(store(0, i32(address)), store(4, size), call(fdWrite, fd, 0, 1, 8), []byte{0x1a})
}

func section(id byte, items ...[]byte) []byte {
	body := slices.Concat(append([][]byte{uleb(len(items))}, items...)...)
	return append(append([]byte{id}, uleb(len(body))...), body...)
}

func name(s string) []byte { return append(uleb(len(s)), s...) }

func (g guest) wasm() string {
	types, imported := [][]byte{{0x60, 0, 0}}, [][]byte{}
	for i, f := range imports {
		types = append(types, slices.Concat([]byte{0x60}, name(f.params), name(f.result)))
		imported = append(imported, slices.Concat(name("wasi_snapshot_preview1"), name(f.name), []byte{0}, uleb(i+1)))
	}
	body := slices.Concat([]byte{0}, g.code, []byte{0x0b})
	out := slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, types...),
		section(2, imported...),
		section(3, []byte{0}),
		section(5, []byte{0, 1}),
		section(7, append(name("memory"), 2, 0), slices.Concat(name("_start"), []byte{0}, uleb(len(imports)))),
		section(10, append(uleb(len(body)), body...)),
		section(11, slices.Concat([]byte{0}, i32(1024), []byte{0x0b}, name(g.data))),
	)
	return string(out)
}

// says prints text and exits with a status.
func says(text string, status int) string {
	return guest{text, slices.Concat(write(1, 1024, i32(len(text))), call(procExit, status))}.wasm()
}

// complains prints on standard output and on standard error, and exits.
func complains(stdout, stderr string, status int) string {
	return guest{stdout + stderr, slices.Concat(
		write(1, 1024, i32(len(stdout))), write(2, 1024+len(stdout), i32(len(stderr))), call(procExit, status))}.wasm()
}

// echoes prints its argument vector, each argument ended by a NUL.
func echoes() string {
	return guest{"", slices.Concat(call(argsSizesGet, 12, 16), []byte{0x1a}, call(argsGet, 1024, 4096), []byte{0x1a},
		write(1, 4096, load(16)))}.wasm()
}

// opens opens a file and exits with the errno.
func opens(path string) string {
	return guest{path, slices.Concat(
		i32(3), i32(0), i32(1024), i32(len(path)), i32(0), // the root; no flags
		[]byte{0x42, 2, 0x42, 0},                      // fd_read for it, nothing for what it leads to
		i32(0), i32(16), []byte{0x10}, uleb(pathOpen), // the errno stays on the stack
		[]byte{0x10}, uleb(procExit))}.wasm()
}

// spins never ends.
func spins() string { return guest{"", []byte{0x03, 0x40, 0x0c, 0, 0x0b}}.wasm() }

// prints fills standard output without end.
func printsForever() string {
	text := strings.Repeat("x", 512)
	return guest{text, slices.Concat([]byte{0x03, 0x40}, write(1, 1024, i32(len(text))), []byte{0x0c, 0, 0x0b})}.wasm()
}
