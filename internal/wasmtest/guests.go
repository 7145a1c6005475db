package wasmtest

import (
	"encoding/binary"
	"slices"
	"time"
)

// The addresses that guests use: an iovec, the place of a result, and text from
// there on.
const (
	vector0 = 0
	result0 = 16
	text0   = 1024
)

var (
	fdWrite = Import{Preview1, "fd_write", Signature{[]Op{I32, I32, I32, I32}, []Op{I32}}}
	exit    = Import{Preview1, "proc_exit", Signature{Params: []Op{I32}}}
	fdRead  = Import{Preview1, "fd_read", Signature{[]Op{I32, I32, I32, I32}, []Op{I32}}}
	poll    = Import{Preview1, "poll_oneoff", Signature{[]Op{I32, I32, I32, I32}, []Op{I32}}}
)

// Print writes text to standard output and exits with status.
func Print(text string, status uint32) []byte {
	code := Code(print(0, text), I32Const, int(int32(status)), Call, uint32(1))
	return printer(text, code, fdWrite, exit)
}

// PrintForever writes text to standard output until it is stopped, whatever the
// writing returns.
func PrintForever(text string) []byte {
	return printer(text, Code(Loop, Void, print(0, text), Br, uint32(0), End), fdWrite)
}

// printer is a command with text in its memory.
func printer(text string, code []byte, imports ...Import) []byte {
	m := Command(imports, code, Data{Offset: text0, Bytes: []byte(text)})
	m.Memory.Min += uint32(len(text)) / Page
	return m.Bytes()
}

// print is the code that writes the text at text0 with the imported function of
// that index.
func print(function uint32, text string) []byte {
	return Code(
		I32Const, vector0, I32Const, text0, I32Store, uint32(2), uint32(0),
		I32Const, vector0, I32Const, len(text), I32Store, uint32(2), uint32(4),
		I32Const, 1, I32Const, vector0, I32Const, 1, I32Const, result0, Call, function, Drop,
	)
}

// Copy writes its standard input to its standard output, then ends with status 0.
func Copy() []byte {
	const room = 4096
	length := Code(I32Const, result0, I32Load, uint32(2), uint32(0))
	return Command([]Import{fdWrite, fdRead}, Code(
		Loop, Void, Block, Void,
		I32Const, vector0, I32Const, text0, I32Store, uint32(2), uint32(0),
		I32Const, vector0, I32Const, room, I32Store, uint32(2), uint32(4),
		I32Const, 0, I32Const, vector0, I32Const, 1, I32Const, result0, Call, uint32(1), Drop,
		length, I32Eqz, BrIf, uint32(0),
		I32Const, vector0, length, I32Store, uint32(2), uint32(4),
		I32Const, 1, I32Const, vector0, I32Const, 1, I32Const, result0, Call, uint32(0), Drop,
		Br, uint32(1), End, End,
	)).Bytes()
}

// ExitWith exits with status and writes nothing.
func ExitWith(status uint32) []byte {
	return Command([]Import{exit}, Code(I32Const, int(int32(status)), Call, uint32(0))).Bytes()
}

// Unreachable traps.
func Unreachable() []byte { return Command(nil, Code(Trap)).Bytes() }

// SleepFor sleeps for d with poll_oneoff, then ends with status 0.
func SleepFor(d time.Duration) []byte {
	subscription := make([]byte, 48)
	binary.LittleEndian.PutUint32(subscription[16:], 1) // the monotonic clock
	binary.LittleEndian.PutUint64(subscription[24:], uint64(d))
	code := Code(I32Const, text0, I32Const, text0+64, I32Const, 1, I32Const, result0, Call, uint32(0), Drop)
	return Command([]Import{poll}, code, Data{Offset: text0, Bytes: subscription}).Bytes()
}

// Spin loops without an end.
func Spin() []byte { return Command(nil, Code(Loop, Void, Br, uint32(0), End)).Bytes() }

// Recurse computes the 60th Fibonacci number by recursion, without a loop: it
// takes hours and little stack.
func Recurse() []byte { return Fibonacci(60) }

// Fibonacci computes the nth Fibonacci number by recursion, then exits with its
// low byte.
func Fibonacci(n int) []byte {
	fib := Func{Type: Signature{[]Op{I64}, []Op{I64}}, Code: Code(
		LocalGet, uint32(0), I64Const, 2, Op(0x53), If, I64, // i64.lt_s
		LocalGet, uint32(0),
		Else,
		LocalGet, uint32(0), I64Const, 1, I64Sub, Call, uint32(2),
		LocalGet, uint32(0), I64Const, 2, I64Sub, Call, uint32(2), I64Add,
		End,
	)}
	m := Command([]Import{exit}, Code(I64Const, n, Call, uint32(2), I32WrapI64, I32Const, 255, I32And, Call, uint32(0)))
	m.Funcs = append(m.Funcs, fib)
	return m.Bytes()
}

// RecurseForever calls itself until the stack is exhausted.
func RecurseForever() []byte { return RecurseWith(1) }

// RecurseWith calls itself until the stack is exhausted, with that many
// parameters, all of which are needed after the call.
func RecurseWith(params int) []byte {
	var load, sum []byte
	for i := range params {
		load = append(load, Code(LocalGet, uint32(i), I64Const, i+1, I64Add)...)
		sum = append(sum, Code(LocalGet, uint32(i), I64Add)...)
	}
	types := slices.Repeat([]Op{I64}, params)
	f := Func{Type: Signature{types, []Op{I64}}, Code: Code(load, Call, uint32(1), sum)}
	m := Command(nil, Code(Code(slices.Repeat(Code(I64Const, 1), params)), Call, uint32(1), Drop))
	m.Funcs = append(m.Funcs, f)
	return m.Bytes()
}

// FillMemory fills 16 MiB in bulk, again and again, in a loop.
func FillMemory() []byte {
	return large(Code(Loop, Void, fill(16<<20), Br, uint32(0), End))
}

// FillBulk fills 32 MiB in bulk 2,000 times without a loop or a call.
func FillBulk() []byte { return large(slices.Repeat(fill(32<<20), 2000)) }

func fill(bytes int) []byte {
	return Code(I32Const, 0, I32Const, 1, I32Const, bytes, MemoryFill, Raw(0))
}

func large(code []byte) []byte {
	m := Command(nil, code)
	m.Memory.Min = 32 << 20 / Page
	return m.Bytes()
}

// GrowMemory grows its memory page by page, writing to each, until it is
// refused; then it ends with status 0.
func GrowMemory() []byte {
	return Command(nil, Code(
		Loop, Void, Block, Void,
		I32Const, 1, MemoryGrow, Raw(0), I32Const, -1, I32Eq, BrIf, uint32(0),
		MemorySize, Raw(0), I32Const, Page, I32Mul, I32Const, 8, I32Sub, I32Const, 1, I32Store, uint32(2), uint32(0),
		Br, uint32(1), End, End,
	)).Bytes()
}

// GrowTable grows its table by 4,096 entries a time until it is refused; then it
// ends with status 0.
func GrowTable() []byte {
	m := Command(nil, Code(
		Loop, Void,
		RefNull, Funcref, I32Const, 4096, TableGrow, uint32(0), I32Const, -1, I32Ne, BrIf, uint32(0),
		End,
	))
	m.Tables = []Bound{{Min: 1}}
	return m.Bytes()
}

// BigBody prints "big" and ends with status 0; it holds one function, never
// called, of at least that many bytes, whose compilation is slow.
func BigBody(bytes int) []byte {
	part := Code(
		LocalGet, uint32(0), If, Void,
		LocalGet, uint32(0), LocalGet, uint32(1), I32Add, LocalSet, uint32(1),
		End,
	)
	m := Command([]Import{fdWrite}, print(0, "big"), Data{Offset: text0, Bytes: []byte("big")})
	m.Funcs = append(m.Funcs, Func{
		Type: Signature{[]Op{I32, I32}, []Op{I32}},
		Code: Code(slices.Repeat(part, bytes/len(part)+1), LocalGet, uint32(1)),
	})
	return m.Bytes()
}

// NoStart is a reactor: it exports _initialize and no _start.
func NoStart() []byte {
	m := Command(nil, nil)
	m.Funcs[0].Export = "_initialize"
	return m.Bytes()
}

// UnknownImport imports a function that WASI preview 1 does not have.
func UnknownImport() []byte {
	return Command([]Import{{Preview1, "path_rename_all", Signature{Results: []Op{I32}}}}, nil).Bytes()
}

// Component is the beginning of a WebAssembly component, as WASI preview 2 has.
func Component() []byte { return []byte("\x00asm\x0d\x00\x01\x00\x01\x08\x00asm\x01\x00\x00\x00") }
