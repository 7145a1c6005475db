package guest

import (
	"os"
	"strings"
	"syscall"
	_ "unsafe" // for go:linkname
)

// A program that is linked with -buildmode=c-shared is a WASI reactor: the agent
// has it initialise itself once, and each run begins in a copy of what came of
// that, with the function that is exported here (docs/abi.md). The program does
// not notice: its main runs, with the arguments of the run. In a program that is
// linked as a command nobody calls the function.

//go:wasmexport check
func run() int32 {
	os.Args = arguments()
	programMain()
	return 0
}

// programMain is the main function of the program that this package is linked
// into.
//
//go:linkname programMain main.main
func programMain()

// arguments asks for the arguments of this run. Those that Go's runtime knows are
// from when it was initialised.
func arguments() []string {
	var count, size uint32
	if errno := argsSizesGet(&count, &size); errno != 0 || count == 0 {
		return nil
	}
	places, text := make([]uint32, count), make([]byte, size)
	if errno := argsGet(&places[0], &text[0]); errno != 0 {
		return nil
	}
	return strings.Split(string(text), "\x00")[:count] // each ends with a NUL
}

// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#args_sizes_get

//go:wasmimport wasi_snapshot_preview1 args_sizes_get
func argsSizesGet(count, size *uint32) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 args_get
func argsGet(places *uint32, text *byte) syscall.Errno
