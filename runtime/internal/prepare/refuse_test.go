package prepare_test

import (
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

const header = "\x00asm\x01\x00\x00\x00"

// command is a module of one function without code, as changed.
func command(change func(*Module)) []byte {
	m := Command(nil, nil)
	change(&m)
	return m.Bytes()
}

// reactor is a reactor without code, as changed.
func reactor(change func(*Module)) []byte {
	m := Reactor(nil, nil, Code(I32Const, 0))
	change(&m)
	return m.Bytes()
}

// code is a module of one function.
func code(parts ...any) []byte { return Command(nil, Code(parts...)).Bytes() }

// imports is a module that imports functions without parameters and results.
func imports(module string, names ...string) []byte {
	return command(func(m *Module) {
		for _, name := range names {
			m.Imports = append(m.Imports, Import{Module: module, Name: name})
		}
	})
}

// section is a file of one section.
func section(id byte, content string) []byte {
	return []byte(header + string(id) + string(rune(len(content))) + content)
}

type refusal struct {
	name   string
	wasm   []byte
	limits policy.Limits
	want   string // a part of the message
}

func refusals() []refusal {
	many := func(n int) []Op { return slices.Repeat([]Op{I64}, n) }
	return []refusal{
		{name: "empty", wasm: nil, want: "the file is empty"},
		{name: "ELF", wasm: []byte("\x7fELF\x02\x01\x01\x00"), want: "executable for Linux"},
		{name: "PE", wasm: []byte("MZ\x90\x00"), want: "executable for Windows"},
		{name: "script", wasm: []byte("#!/bin/sh\necho OK\n"), want: "but a script"},
		{name: "text", wasm: []byte("\n  (module\n"), want: "wat2wasm"},
		{name: "zip", wasm: []byte("PK\x03\x04"), want: "a zip archive"},
		{name: "something else", wasm: []byte("hello"), want: `begins with "hello"`},
		{name: "half a header", wasm: []byte("\x00asm\x01"), want: "truncated"},
		{name: "component", wasm: Component(), want: "WebAssembly component (WASI preview 2)"},
		{name: "version", wasm: []byte("\x00asm\x02\x00\x00\x00"), want: "version 02000000"},
		{name: "nothing in it", wasm: []byte(header), want: "exports no function _start"},
		{name: "truncated", wasm: Spin()[:len(Spin())-3], want: "truncated"},
		{name: "trailing", wasm: append(Spin(), 1), want: "malformed"},
		{name: "large file", wasm: Spin(), limits: policy.Limits{Program: 40}, want: `limit is 40 B: strip its debug information or raise the limit "program"`},

		{name: "unknown section", wasm: section(14, ""), want: "section 14"},
		{name: "section twice", wasm: append(section(1, "\x00"), section(1, "\x00")[8:]...), want: "out of order"},
		{name: "section too long", wasm: section(1, "\x00\x00"), want: "longer than what it holds"},
		{name: "tags", wasm: section(13, "\x00"), want: "exception handling"},
		{name: "types announced", wasm: section(1, "\xff\xff\xff\xff\x0f"), want: "4294967295 items are announced"},
		{name: "types", wasm: []byte(header + "\x01\xb5\xea\x01\x91\x4e" + strings.Repeat("\x60\x00\x00", 10001)), want: "10001 types and at most 10000"},
		{name: "no type", wasm: section(1, "\x01\x5f\x00\x00"), want: "0x5f is no function type"},
		{name: "value type", wasm: section(1, "\x01\x60\x01\x6e\x00"), want: "0x6e is no value type"},
		{name: "number", wasm: section(1, "\x80\x80\x80\x80\x10"), want: "does not fit into 32 bits"},
		{name: "name", wasm: section(7, "\x01\x01\xff\x00\x00"), want: "not UTF-8"},
		{name: "functions without code", wasm: append(section(1, "\x01\x60\x00\x00"), section(3, "\x01\x00")[8:]...), want: "1 functions are declared and 0 are there"},
		{name: "shared table", wasm: section(4, "\x01\x70\x03\x01\x01"), want: "a table is shared"},
		{name: "custom section", wasm: append(Spin(), 0, 1, 9), want: "malformed"},
		{name: "64 bits", wasm: section(5, "\x01\x04\x01"), want: "wasm32"},
		{name: "extended constant", wasm: section(6, "\x01\x7f\x00\x41\x01\x41\x01\x6a\x0b"), want: "extended-const"},
		{name: "element kind", wasm: section(9, "\x01\x08\x00"), want: "0x8 is no kind of element segment"},
		{name: "data kind", wasm: section(11, "\x01\x03\x00"), want: "0x3 is no kind of data segment"},
		{name: "data announced", wasm: section(12, "\x02"), want: "2 data segments are announced and 0"},

		{name: "unknown import", wasm: UnknownImport(), want: `imports "path_rename_all", which WASI preview 1 does not have`},
		{name: "wrong type", wasm: imports(Preview1, "fd_write"), want: `imports "fd_write" with a type that is not its own`},
		{name: "unstable", wasm: imports("wasi_unstable", "fd_write"), want: "forerunner"},
		{name: "env", wasm: imports("env", "emscripten_notify"), want: "Emscripten"},
		{name: "gojs", wasm: imports("gojs", "runtime.wasmExit"), want: "GOOS=wasip1"},
		{name: "preview 2", wasm: imports("wasi:cli/exit@0.2.0", "exit"), want: "preview 2"},
		{name: "tick", wasm: imports(TickModule, TickName), want: `imports "wasmagent"."tick", which is not there`},
		{name: "all imports", wasm: imports("x", strings.Split("a b c d e f g h i j k l", " ")...), want: "and 2 more"},
		{name: "memory", wasm: section(2, "\x01\x03env\x06memory\x02\x00\x01"), want: `imports the memory "env"."memory"`},
		{name: "global and _start", wasm: section(2, "\x01\x03env\x01g\x03\x7f\x00"), want: "exports no function _start"},

		{name: "reactor", wasm: NoStart(), want: "exports no function check"},
		{name: "check of another type", wasm: command(func(m *Module) { m.Funcs[0].Export = "check" }), want: "program's check is not a function"},
		{name: "_initialize of another type", wasm: reactor(func(m *Module) {
			m.Funcs[0].Type, m.Funcs[0].Code = Signature{Params: []Op{I32}}, nil
		}), want: "program's _initialize is not"},
		{name: "start of another type", wasm: command(func(m *Module) {
			m.Funcs = append(m.Funcs, Func{Type: Signature{Params: []Op{I32}}})
			m.Start = new(uint32(1))
		}), want: "the start function has parameters"},
		{name: "_start with a result", wasm: command(func(m *Module) {
			m.Funcs[0] = Func{Type: Signature{Results: []Op{I32}}, Code: Code(I32Const, 1), Export: "_start"}
		}), want: "_start is not a function without"},
		{name: "hidden memory", wasm: command(func(m *Module) { m.Hidden = true }), want: `no memory named "memory"`},
		{name: "large memory", wasm: command(func(m *Module) { m.Memory.Min = 1025 }), want: `limit is 64 MiB`},
		{name: "large table", wasm: command(func(m *Module) { m.Tables = []Bound{{Min: 65537}} }), want: `"table_entries"`},
		{name: "tables", wasm: command(func(m *Module) { m.Tables = make([]Bound, 17) }), want: "17 tables"},
		{name: "globals", wasm: command(func(m *Module) {
			m.Globals = slices.Repeat([]Global{{Type: I32, Init: Code(I32Const, 0)}}, 1001)
		}), want: "1001 globals"},
		{name: "fuel", wasm: command(func(m *Module) {
			m.Globals = []Global{{Type: I64, Init: Code(I64Const, 0), Export: FuelExport}}
		}), want: "reserved"},
		{name: "name twice", wasm: command(func(m *Module) { m.Funcs = append(m.Funcs, m.Funcs[0]) }), want: "two exports"},
		{name: "functions", wasm: Fibonacci(1), limits: policy.Limits{Functions: 1}, want: "2 functions and at most 1"},
		{name: "parameters", wasm: RecurseWith(1001), want: "1001 parameters"},
		{name: "results", wasm: command(func(m *Module) {
			m.Funcs = append(m.Funcs, Func{Type: Signature{Results: many(33)}, Code: Code(Trap)})
		}), want: "33 results"},
		{name: "parameters of all types", wasm: command(func(m *Module) {
			for i := range 101 {
				params := many(1000)
				params[i] = I32
				m.Funcs = append(m.Funcs, Func{Type: Signature{Params: params}})
			}
		}), want: "101000 parameters and results together"},
		{name: "values of all calls", wasm: command(func(m *Module) {
			m.Funcs = append(m.Funcs, Func{Type: Signature{Params: many(1000)}}, Func{Code: Code(Trap, slices.Repeat(Code(Call, uint32(1)), 110_000))})
		}), want: "values to calls, blocks and branches"},
		{name: "values of all branches", wasm: command(func(m *Module) {
			m.Funcs = append(m.Funcs, Func{Type: Signature{Params: many(1000)}}, Func{Code: Code(
				Trap, Loop, 1, Trap, BrTable, uint32(110_000), make([]byte, 110_001), End,
			)})
		}), want: "values to calls, blocks and branches"},
		{name: "elements", wasm: command(func(m *Module) {
			m.Tables, m.Elements = []Bound{{Min: 10}}, make([]uint32, 65_537)
		}), want: "65537 entries for its tables and the limit is 65536"},
		{name: "locals", wasm: command(func(m *Module) { m.Funcs[0].Locals = many(10001) }), want: "10001"},
		{name: "body", wasm: BigBody(2 << 20), want: `limit is 1 MiB: split it up`},

		{name: "atomic", wasm: code(Raw(0xfe), Raw(0x03)), want: "threads"},
		{name: "tail call", wasm: code(Op(0x12), uint32(0)), want: "tail calls"},
		{name: "throw", wasm: code(Op(0x08), uint32(0)), want: "exception handling"},
		{name: "call_ref", wasm: code(Op(0x14), uint32(0)), want: "function references"},
		{name: "struct", wasm: code(Raw(0xfb), Raw(0)), want: "garbage collection"},
		{name: "relaxed", wasm: code(Raw(0xfd), uint32(0x100)), want: "relaxed SIMD"},
		{name: "opcode", wasm: code(Op(0x27)), want: "0x27"},
		{name: "long opcode", wasm: code(Raw(0xfc), Raw(0x80), Raw(0x00)), want: "shortest form"},
		{name: "function", wasm: code(Call, uint32(1)), want: "nothing that is there"},
		{name: "function reference", wasm: code(RefFunc, uint32(1), Drop), want: "nothing that is there"},
		{name: "global", wasm: code(I64Const, 1, GlobalSet, uint32(0)), want: "nothing that is there"},
		{name: "local that holds fuel", wasm: code(Loop, Void, I64Const, 1<<30, LocalSet, uint32(0), Br, uint32(0), End), want: "nothing that is there"},
		{name: "local that is tested", wasm: code(Loop, Void, LocalGet, uint32(0), I64Eqz, BrIf, uint32(0), End), want: "nothing that is there"},
		{name: "local that is kept", wasm: code(Loop, Void, I64Const, 1, LocalTee, uint32(0), Drop, Br, uint32(0), End), want: "nothing that is there"},
		{name: "memory", wasm: code(I32Const, 0, I32Const, 0, I32Const, 0, MemoryFill, Raw(1)), want: "memory 1 is not there"},
		{name: "memories", wasm: code(I32Const, 0, I32Const, 0, I32Const, 0, MemoryCopy, Raw(0), Raw(1)), want: "memory 1 is not there"},
		{name: "type", wasm: code(I32Const, 0, CallIndirect, uint32(1), uint32(0)), want: "nothing that is there"},
		{name: "block type", wasm: code(Block, 1, End), want: "nothing that is there"},
		{name: "label", wasm: code(Br, uint32(1)), want: "a branch leaves"},
		{name: "label of a table", wasm: code(I32Const, 0, BrTable, uint32(1), uint32(0), uint32(1)), want: "a branch leaves"},
		{name: "else", wasm: code(Else), want: "an else has no if"},
		{name: "end", wasm: code(End), want: "do not match"},
		{name: "nesting", wasm: code(slices.Repeat(Code(Block, Void), 30_000), slices.Repeat(Code(End), 30_000)), want: "nests blocks more than 25000 deep"},
		{name: "no end", wasm: code(Block, Void), want: "do not match"},
		{name: "element", wasm: command(func(m *Module) { m.Tables, m.Elements = []Bound{{Min: 1}}, []uint32{1} }), want: "function 1 is not there"},
		{name: "start", wasm: command(func(m *Module) { m.Start = new(uint32(1)) }), want: "function 1 is not there"},
		{name: "global of a global", wasm: command(func(m *Module) {
			m.Globals = []Global{{Type: I64, Init: Code(GlobalGet, uint32(1))}}
		}), want: "global 1 is not there"},
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range refusals() {
		_, err := Prepare(row.wasm, row.limits.WithDefaults())
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: error %v; want one with %q", row.name, err, row.want)
		}
	}
}

// TestRefusesAtOnce wants all that is wrong in one error.
func TestRefusesAtOnce(t *testing.T) {
	t.Parallel()
	wasm := command(func(m *Module) {
		m.Imports = []Import{{Module: "env", Name: "a"}, {Module: "env", Name: "b"}}
		m.Hidden, m.Funcs[0].Export = true, "main"
	})
	_, err := Prepare(wasm, policy.Defaults)
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("error %v; want four lines", err)
	}
}

// TestAllocatesLittle announces more than there is in each section.
func TestAllocatesLittle(t *testing.T) {
	for id := byte(1); id < 13; id++ {
		wasm := section(id, "\xff\xff\xff\xff\x0f")
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		if _, err := Prepare(wasm, policy.Defaults); err == nil {
			t.Errorf("section %d was accepted", id)
		}
		goruntime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("section %d: allocated %d bytes", id, n)
		}
	}
}
