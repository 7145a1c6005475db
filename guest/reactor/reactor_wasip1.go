package reactor

import (
	"os"
	"strings"
	"syscall"
	_ "unsafe" // for go:linkname
)

// check is a run, if the program is linked as a reactor; otherwise nobody calls it.
//
//go:wasmexport check
func check() int32 {
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
