package runtime_test

import (
	"encoding/binary"
	"testing"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/runtime"
)

// The addresses that a script uses: the iovec with which it prints, the place of
// an errno, room for results of calls, and text from there on.
const (
	scriptVector = 0
	scriptErrno  = 16
	scriptRoom   = 1024
	scriptText   = 4096
)

// A script is a guest that calls functions of WASI one after the other and prints
// the errno of each as 4 bytes.
type script struct {
	imports []Import
	text    []byte
	code    []byte
	pages   uint32
}

// call adds a call. An int is an i32, an int64 an i64, a string the address and
// length of that text.
func (s *script) call(name string, args ...any) *script {
	s.code = append(s.code, Code(I32Const, scriptErrno, s.invoke(name, args...), I32Store, uint32(2), uint32(0))...)
	return s.dump(scriptErrno, 4)
}

// invoke is the code of a call, which leaves its errno.
func (s *script) invoke(name string, args ...any) []byte {
	var code []byte
	var params []Op
	for _, arg := range args {
		switch a := arg.(type) {
		case int:
			code, params = append(code, Code(I32Const, a)...), append(params, I32)
		case int64:
			code, params = append(code, Code(I64Const, int(a))...), append(params, I64)
		case string:
			code, params = append(code, Code(I32Const, s.place(a), I32Const, len(a))...), append(params, I32, I32)
		}
	}
	return append(code, Code(Call, s.function(Import{Module: Preview1, Name: name, Type: Signature{Params: params, Results: []Op{I32}}}))...)
}

// place puts text into the memory and returns its address.
func (s *script) place(text string) int {
	s.text = append(s.text, text...)
	return scriptText + len(s.text) - len(text)
}

// function is the index of an imported function.
func (s *script) function(i Import) uint32 {
	for n, known := range s.imports {
		if known.Name == i.Name {
			return uint32(n)
		}
	}
	s.imports = append(s.imports, i)
	return uint32(len(s.imports) - 1)
}

// dump prints memory.
func (s *script) dump(address, length int) *script {
	s.code = append(s.code, Code(
		I32Const, scriptVector, I32Const, address, I32Store, uint32(2), uint32(0),
		I32Const, scriptVector, I32Const, length, I32Store, uint32(2), uint32(4),
		s.invoke("fd_write", 1, scriptVector, 1, scriptVector+8), Drop,
	)...)
	return s
}

// forever adds a call that is repeated without an end.
func (s *script) forever(name string, args ...any) *script {
	s.code = append(s.code, Code(Loop, Void, s.invoke(name, args...), Drop, Br, uint32(0), End)...)
	return s
}

// open adds a path_open with its flags; the descriptor is left in scriptRoom.
func (s *script) open(path string, oflags int, rights int64) *script {
	return s.call("path_open", s.openArgs(path, oflags, rights)...)
}

func (s *script) openArgs(path string, oflags int, rights int64) []any {
	return []any{3, 1, path, oflags, rights, int64(0), 0, scriptRoom}
}

func (s *script) wasm() []byte {
	m := Command(s.imports, s.code, Data{Offset: scriptText, Bytes: s.text})
	m.Memory.Min = max(s.pages, uint32(scriptText+len(s.text))/Page+1)
	return m.Bytes()
}

// errnos reads what a script of calls alone has printed.
func errnos(t testing.TB, out runtime.Output) []uint32 {
	t.Helper()
	if len(out.Stdout)%4 != 0 {
		t.Fatalf("a script printed %q", out.Stdout)
	}
	list := make([]uint32, len(out.Stdout)/4)
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(out.Stdout[4*i:])
	}
	return list
}

// The errnos of WASI preview 1 that these tests expect.
const (
	eBADF        = 8
	eINVAL       = 28
	eIO          = 29
	eISDIR       = 31
	eMFILE       = 33
	eNAMETOOLONG = 37
	eNOENT       = 44
	eNOSYS       = 52
	eNOTDIR      = 54
	ePERM        = 63
	eROFS        = 69
)

// The flags of path_open, and the rights that wazero looks at.
const (
	oCreat, oDirectory, oExcl, oTrunc = 1, 2, 4, 8
	rightRead, rightWrite             = int64(2), int64(64)
)
