package main

import (
	"os"
	"strings"
	"syscall"
)

// check is a run: main, with the arguments of the run. The agent initialises the
// program once and keeps what came of that, so os.Args is filled anew. For Go to
// link the program that way it takes -buildmode=c-shared.
//
//go:wasmexport check
func check() int32 {
	var count, size uint32
	argsSizesGet(&count, &size)
	places, text := make([]uint32, count), make([]byte, size)
	argsGet(&places[0], &text[0])
	os.Args = strings.Split(string(text), "\x00")[:count] // each ends with a NUL
	main()
	return 0
}

//go:wasmimport wasi_snapshot_preview1 args_sizes_get
func argsSizesGet(count, size *uint32) syscall.Errno

//go:wasmimport wasi_snapshot_preview1 args_get
func argsGet(places *uint32, text *byte) syscall.Errno
