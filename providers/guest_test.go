package providers_test

import (
	"strings"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
)

// The functions that the programs of the tests import, by index.
var imports = []Import{
	{Module: Preview1, Name: "fd_write", Type: Signature{Params: []Op{I32, I32, I32, I32}, Results: []Op{I32}}},
	{Module: Preview1, Name: "proc_exit", Type: Signature{Params: []Op{I32}}},
	{Module: Preview1, Name: "args_sizes_get", Type: Signature{Params: []Op{I32, I32}, Results: []Op{I32}}},
	{Module: Preview1, Name: "args_get", Type: Signature{Params: []Op{I32, I32}, Results: []Op{I32}}},
	{Module: Preview1, Name: "path_open", Type: Signature{Params: []Op{I32, I32, I32, I32, I32, I64, I64, I32, I32}, Results: []Op{I32}}},
}

const fdWrite, procExit, argsSizesGet, argsGet, pathOpen = uint32(0), uint32(1), uint32(2), uint32(3), uint32(4)

// data is where a program's text is in its memory.
const data = 1024

// program is a command with text in its memory.
func program(text string, code []byte) string {
	return string(Command(imports, code, Data{Offset: data, Bytes: []byte(text)}).Bytes())
}

// write is the code that writes from an address to a descriptor as many bytes as the
// code size leaves on the stack.
func write(fd, address int, size []byte) []byte {
	return Code(I32Const, 0, I32Const, address, I32Store, uint32(2), uint32(0), I32Const, 0, size, I32Store, uint32(2), uint32(4),
		I32Const, fd, I32Const, 0, I32Const, 1, I32Const, 8, Call, fdWrite, Drop)
}

// says prints text and exits with a status.
func says(text string, status int) string { return string(Print(text, uint32(status))) }

// complains prints on standard output and on standard error, and exits.
func complains(stdout, stderr string, status int) string {
	return program(stdout+stderr, Code(write(1, data, Code(I32Const, len(stdout))), write(2, data+len(stdout), Code(I32Const, len(stderr))),
		I32Const, status, Call, procExit))
}

// givesUp writes to both outputs and traps.
func givesUp(stdout, stderr string) string {
	return program(stdout+stderr, Code(write(1, data, Code(I32Const, len(stdout))), write(2, data+len(stdout), Code(I32Const, len(stderr))), Trap))
}

// echoes prints its argument vector, each argument ended by a NUL.
func echoes() string {
	return program("", Code(I32Const, 12, I32Const, 16, Call, argsSizesGet, Drop, I32Const, data, I32Const, 4096, Call, argsGet, Drop,
		write(1, 4096, Code(I32Const, 16, I32Load, uint32(2), uint32(0)))))
}

// opens opens a file for reading and exits with the errno.
func opens(path string) string {
	return program(path, Code(I32Const, 3, I32Const, 0, I32Const, data, I32Const, len(path), I32Const, 0,
		I64Const, 2, I64Const, 0, I32Const, 0, I32Const, 16, Call, pathOpen, Call, procExit))
}

// traps ends at once.
func traps() string { return string(Unreachable()) }

// spins never ends.
func spins() string { return string(Spin()) }

// printsForever fills standard output without end.
func printsForever() string { return string(PrintForever(strings.Repeat("x", 512))) }
