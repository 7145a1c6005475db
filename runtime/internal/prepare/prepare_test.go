package prepare_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// programs end by themselves, in the same way however they are run.
func programs() map[string][]byte {
	return map[string][]byte{
		"print":       Print("hello", 2),
		"print much":  Print(strings.Repeat("x", 100_000), 0),
		"exit -1":     ExitWith(0xffffffff),
		"unreachable": Unreachable(),
		"fibonacci":   Fibonacci(15),
		"grow memory": GrowMemory(),
		"big body":    BigBody(5000),
		"sleep":       SleepFor(1),
		"tight loop":  tightLoop(1000),
		"sieve":       sieve(1000, 30),
		"countdown":   countdown(),
		"start":       started(),
		"values":      multiValue(),
		"indirect":    indirect(),
		"passive":     passive(),
	}
}

var exit = Import{Module: Preview1, Name: "proc_exit", Type: Signature{Params: []Op{I32}}}

// countdown is a loop over a local of the type that fuel has.
func countdown() []byte {
	m := Command(nil, Code(
		I64Const, 50, LocalSet, uint32(0),
		Loop, Void, LocalGet, uint32(0), I64Const, 1, I64Sub, LocalTee, uint32(0), I64Eqz, I32Eqz, BrIf, uint32(0), End,
	))
	m.Funcs[0].Locals = []Op{I64}
	return m.Bytes()
}

// started counts in its start function and exits with the count.
func started() []byte {
	m := Command([]Import{exit}, Code(GlobalGet, uint32(0), Call, uint32(0)))
	m.Globals = []Global{{Type: I32, Init: Code(I32Const, 41)}}
	m.Funcs = append(m.Funcs, Func{Code: Code(GlobalGet, uint32(0), I32Const, 1, I32Add, GlobalSet, uint32(0))})
	m.Start = new(uint32(2))
	return m.Bytes()
}

// multiValue returns several values in several ways, out of blocks and loops.
func multiValue() []byte {
	pair := Signature{Params: []Op{I32}, Results: []Op{I32, I64}}
	m := Command([]Import{exit}, Code(
		I32Const, 0, Call, uint32(2), I32WrapI64, I32Add,
		I32Const, 1, Call, uint32(2), I32WrapI64, I32Add, I32Add,
		I32Const, 2, Call, uint32(2), I32WrapI64, I32Add, I32Add,
		Call, uint32(0),
	))
	m.Funcs = append(m.Funcs, Func{Type: pair, Code: Code(
		Block, Void, Block, Void, Block, Void,
		LocalGet, uint32(0), BrTable, uint32(2), uint32(0), uint32(1), uint32(2), End,
		I32Const, 1, I64Const, 2, Return, End,
		Loop, Void, I32Const, 10, I64Const, 20, Br, uint32(2), End, End,
		I32Const, 99, I32Const, 40, I32Const, 0, Call, uint32(2), Drop, Drop, I64Const, 50,
		LocalGet, uint32(0), I32Eqz, BrIf, uint32(0), Return,
	)})
	return m.Bytes()
}

// indirect calls through a table and a reference to a function.
func indirect() []byte {
	unary := Signature{Params: []Op{I32}, Results: []Op{I32}}
	m := Command([]Import{exit}, Code(
		I32Const, 2, RefFunc, uint32(3), TableSet, uint32(0),
		I32Const, 5, I32Const, 1, CallIndirect, uint32(2), uint32(0),
		I32Const, 2, CallIndirect, uint32(2), uint32(0), Call, uint32(0),
	))
	m.Funcs = append(m.Funcs,
		Func{Type: unary, Code: Code(LocalGet, uint32(0), I32Const, 3, I32Mul)},
		Func{Type: unary, Code: Code(LocalGet, uint32(0), I32Const, 4, I32Add)},
	)
	m.Tables, m.Elements = []Bound{{Min: 4, Max: 4}}, []uint32{1, 2, 3}
	return m.Bytes()
}

// passive copies a passive data segment into its memory and exits with a byte of it.
func passive() []byte {
	m := Command([]Import{exit}, Code(
		I32Const, 100, I32Const, 1, I32Const, 2, MemoryInit, uint32(1), Raw(0), DataDrop, uint32(1),
		I32Const, 200, I32Const, 100, I32Const, 2, MemoryCopy, Raw(0), Raw(0),
		I32Const, 201, I32Load8U, uint32(0), uint32(0), Call, uint32(0),
	), Data{Offset: 8, Bytes: []byte("ab")}, Data{Bytes: []byte("cdef"), Passive: true})
	return m.Bytes()
}

// same wants a program to do the same rewritten and not, and to count the same,
// in both engines. It returns what it did.
func same(t *testing.T, name string, wasm []byte) (want result) {
	t.Helper()
	var counts []int64
	for engine, config := range engines {
		config := config().WithMemoryLimitPages(1024)
		want = newMachine(t, config).run(t, wasm)
		m := newMachine(t, config)
		got := m.execute(t, prepared(t, wasm, policy.Limits{}))
		if got.output != want.output || got.status != want.status || (got.err == nil) != (want.err == nil) {
			t.Errorf("%s, %s: %.200v; before it was rewritten %.200v", name, engine, got, want)
		}
		counts = append(counts, m.meter.count())
	}
	if counts[0] != counts[1] || counts[0] <= 0 {
		t.Errorf("%s: counts %v; want them equal and above zero", name, counts)
	}
	return want
}

func TestSame(t *testing.T) {
	t.Parallel()
	for name, wasm := range programs() {
		same(t, name, wasm)
	}
}

func TestSameC(t *testing.T) {
	t.Parallel()
	options := []string{"-Os", "-O0", "-O2", "-msimd128", "-mbulk-memory"}
	if raceEnabled {
		options = options[:1]
	}
	for _, option := range options {
		same(t, "C "+option, cGuest(t, option))
	}
}

func TestSameGo(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("compiles a large program")
	}
	wasm := goGuest(t)
	for engine, config := range engines {
		m := newMachine(t, config())
		got := m.execute(t, prepared(t, wasm, policy.Limits{}))
		want := result{output: "brown 100 500 an argument\n", status: 50}
		if got != want || m.meter.count() < 1_000_000 {
			t.Errorf("%s: %v after %d; want %v after millions", engine, got, m.meter.count(), want)
		}
	}
}

func TestSameText(t *testing.T) {
	t.Parallel()
	needs.Program(t, "wat2wasm")
	for file, want := range map[string]struct {
		status uint32
		trap   bool
	}{"elements.wat": {629, false}, "vectors.wat": {3113608, false}, "traps.wat": {0, true}} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if got := same(t, file, built(t, "guest.wat", string(text), nil, "wat2wasm")); got.status != want.status || (got.err != nil) != want.trap {
			t.Errorf("%s: exit %d, %v; want %v", file, got.status, got.err, want)
		}
	}
}

// TestValidates asks another implementation whether the rewritten programs are
// valid.
func TestValidates(t *testing.T) {
	t.Parallel()
	validate, err := exec.LookPath("wasm-validate")
	if err != nil {
		needs.Missing(t, "wasm-validate"+" is not installed")
	}
	for name, wasm := range programs() {
		file := filepath.Join(t.TempDir(), "guest.wasm")
		if err := os.WriteFile(file, prepared(t, wasm, policy.Limits{}).Wasm, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), validate, file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	for name, wasm := range map[string][]byte{
		"spin": Spin(), "recurse": Recurse(), "fill memory": FillMemory(), "fill in bulk": FillBulk(), "print forever": PrintForever("x"),
	} {
		for engine, config := range engines {
			m := newMachine(t, config())
			m.meter.allowance = 1_000_000
			got := m.execute(t, prepared(t, wasm, policy.Limits{}))
			if over := m.meter.count() - m.meter.allowance; !errors.Is(got.err, errStopped) || over < 0 || over > 3_000_000 {
				t.Errorf("%s, %s: ended with %v at %d; want it stopped soon after %d", name, engine, got.err, m.meter.count(), m.meter.allowance)
			}
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		wasm []byte
		want int64
	}{
		{"nothing", code(), 1},
		{"instructions", code(Nop, Nop), 3},
		{"host call", ExitWith(0), 1 + 256 + 1},
		{"memory.grow", code(I32Const, 0, MemoryGrow, Raw(0), Drop), 256 + 3},
		{"bulk", code(I32Const, 0, I32Const, 0, I32Const, 1600, MemoryFill, Raw(0)), 100 + 5},
		{"loop once", code(Loop, Void, Nop, End), 4},
		{"loop", tightLoop(10), 4 + 10*6},
		{"calls", Fibonacci(2), (5 + 256 + 1) + 3*15},
		{"the longer branch", code(I32Const, 1, If, Void, Nop, Nop, Else, Nop, End), 2 + 3 + 1},
		{"the longer branch is the second", code(I32Const, 1, If, Void, Nop, Else, Nop, Nop, Nop, End), 2 + 4 + 1},
		{"a branch without else", code(I32Const, 1, If, Void, Nop, End), 2 + 2 + 1},
		{"behind a branch", code(Block, Void, Br, uint32(0), Nop, Nop, End), 2 + 1},
		{"behind all branches", code(Block, Void, I32Const, 1, BrIf, uint32(0), Br, uint32(0), Nop, End), 4 + 1},
		{"cases", code(Block, Void, Block, Void, I32Const, 0, BrTable, uint32(1), uint32(0), uint32(1), End, Nop, Nop, Nop, Br, uint32(0), End, Nop), 4 + 4 + 2},
		{"after a return", code(Block, Void, I32Const, 1, If, Void, Return, End, End, Nop), 3 + 1 + 2},
		{"a loop with a way out", code(Block, Void, Loop, Void, I32Const, 1, BrIf, uint32(1), Nop, Nop, Br, uint32(0), End, End, Nop), 2 + 5 + 2},
		{"a loop in a loop", code(
			Loop, Void, Nop, Loop, Void, Nop, I32Const, 0, BrIf, uint32(0), End, I32Const, 0, BrIf, uint32(1), End), 1 + (1 + 1 + 2) + (3 + 1) + 1 + 1},
	} {
		m := newMachine(t, engines["compiled"]())
		m.execute(t, prepared(t, row.wasm, policy.Limits{}))
		if got := m.meter.count(); got != row.want {
			t.Errorf("%s: counted %d; want %d", row.name, got, row.want)
		}
	}
}

// TestTicks wants the tick function to be called before the first instruction, and
// with the fuel left.
func TestTicks(t *testing.T) {
	t.Parallel()
	m := newMachine(t, engines["compiled"]())
	m.meter.slice, m.meter.allowance = 1, 0
	got := m.execute(t, prepared(t, code(Nop, Trap), policy.Limits{}))
	if !errors.Is(got.err, errStopped) || m.meter.ticks != 1 || m.meter.left != -2 {
		t.Errorf("ended with %v after %d ticks, %d left; want it stopped by the first, -2 left", got.err, m.meter.ticks, m.meter.left)
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		max, limit int
		want       uint32
	}{{0, 5000, 4097}, {0, 70_000, 69_633}, {5000, 70_000, 4097}} {
		m := Command([]Import{exit}, Code(
			Loop, Void, RefNull, Funcref, I32Const, 4096, TableGrow, uint32(0), I32Const, -1, I32Ne, BrIf, uint32(0), End,
			TableSize, uint32(0), Call, uint32(0),
		))
		m.Tables = []Bound{{Min: 1, Max: uint32(row.max)}}
		for engine, config := range engines {
			got := newMachine(t, config()).execute(t, prepared(t, m.Bytes(), policy.Limits{TableEntries: row.limit}))
			if got.status != row.want {
				t.Errorf("%v, %s: grew to %d, %v", row, engine, got.status, got.err)
			}
		}
	}
}

// TestStackIsGivenBack returns in every way, more often than the stack has room.
func TestStackIsGivenBack(t *testing.T) {
	t.Parallel()
	unary := Signature{Params: []Op{I32}, Results: []Op{I32}}
	for name, body := range map[string][]byte{
		"end":         Code(LocalGet, uint32(0), Call, uint32(2)),
		"return":      Code(Block, Void, LocalGet, uint32(0), Call, uint32(2), Return, End, Trap),
		"branch":      Code(LocalGet, uint32(0), Call, uint32(2), Br, uint32(0)),
		"br_if":       Code(LocalGet, uint32(0), Call, uint32(2), LocalGet, uint32(0), BrIf, uint32(0)),
		"br_table":    Code(Loop, Void, LocalGet, uint32(0), Call, uint32(2), I32Const, 0, BrTable, uint32(1), uint32(1), uint32(1), End, Trap),
		"from a loop": Code(Loop, Void, LocalGet, uint32(0), Call, uint32(2), LocalGet, uint32(0), I32Eqz, BrIf, uint32(0), Return, End, Trap),
	} {
		m := Command(nil, Code(
			I32Const, 100_000, LocalSet, uint32(0),
			Loop, Void, I32Const, 1, Call, uint32(1), Drop,
			LocalGet, uint32(0), I32Const, 1, I32Sub, LocalTee, uint32(0), BrIf, uint32(0), End,
		))
		m.Funcs[0].Locals = []Op{I32}
		m.Funcs = append(m.Funcs, Func{Type: unary, Code: body}, Func{Type: unary, Code: Code(
			LocalGet, uint32(0), I32Eqz, If, Void, I32Const, 1, Call, uint32(1), Drop, End, LocalGet, uint32(0), // so that both can recurse
		)})
		for engine, config := range engines {
			if got := newMachine(t, config()).execute(t, prepared(t, m.Bytes(), policy.Limits{Stack: 64 * policy.KiB})); got.err != nil {
				t.Errorf("%s, %s: %v", name, engine, got.err)
			}
		}
	}
}

func TestProgram(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		wasm      []byte
		interpret bool
		memory    uint64
	}{
		{"small", Print("x", 0), false, 65536},
		{"two pages", sieve(70_000, 10), false, 131072},
		{"large function", BigBody(300 << 10), true, 65536},
		{"nested loops", nestedLoops(800, 800), true, 65536},
		{"chain of ifs", chain(25_000, If, Void, End), true, 65536},
		{"chain of branches", chain(30_000, BrIf, uint32(0)), true, 65536},
		{"chain beside dead ends", chain(10_000, If, Void, Else, Trap, End), true, 65536},
		{"many short chains", chain(5000, If, Void, Return, Else, End), true, 65536},
		{"some ifs", chain(2000, If, Void, End), false, 65536},
		{"results of calls", passing(slices.Repeat(Code(Call, uint32(1)), 20_000)), true, 65536},
	} {
		p, err := Prepare(row.wasm, policy.Defaults)
		if err != nil || p.Interpret != row.interpret || p.Memory != row.memory {
			t.Errorf("%s: interpret %v, memory %d, %v; want %v, %d", row.name, p.Interpret, p.Memory, err, row.interpret, row.memory)
		}
	}
}

// TestInitial wants a program to be told apart by what it exports, and to have all that
// its initialisation changes told, or why that cannot be.
func TestInitial(t *testing.T) {
	t.Parallel()
	increment := Code(GlobalGet, uint32(0), I32Const, 1, I32Add, GlobalSet, uint32(0))
	counting := func(change func(*Module)) []byte {
		m := Reactor(nil, increment, Code(GlobalGet, uint32(0)), Data{Offset: 8, Bytes: []byte("ab")})
		m.Globals = []Global{{Type: I32, Init: Code(I32Const, 6)}}
		change(&m)
		return m.Bytes()
	}
	for _, row := range []struct {
		name    string
		wasm    []byte
		entry   []string
		init    []string
		globals int
		changes string
	}{
		{"command", Print("x", 0), []string{"_start"}, nil, 1, ""},
		{"command that starts", started(), []string{"wasmagent.start", "_start"}, nil, 2, ""},
		{"command with a check", counting(func(m *Module) { m.Funcs[0].Export = "_start" }), []string{"_start"}, nil, 2, ""},
		{"reactor", counting(func(*Module) {}), []string{"check"}, []string{"_initialize"}, 2, ""},
		{"reactor that starts", counting(func(m *Module) { m.Start = new(uint32(0)) }), []string{"check"}, []string{"wasmagent.start", "_initialize"}, 2, ""},
		{"reactor without _initialize", counting(func(m *Module) { m.Funcs[0].Export = "" }), []string{"check"}, nil, 2, ""},
		{"passive data", counting(func(m *Module) { m.Data = append(m.Data, Data{Passive: true, Bytes: []byte("x")}) }), []string{"check"}, []string{"_initialize"}, 0, "data segments"},
		{"tables", counting(func(m *Module) {
			m.Tables = []Bound{{Min: 1}}
			m.Funcs[0].Code = Code(I32Const, 0, RefNull, Funcref, TableSet, uint32(0))
		}), []string{"check"}, []string{"_initialize"}, 0, "references"},
		{"reference", counting(func(m *Module) {
			m.Globals = append(m.Globals, Global{Type: Funcref, Init: Code(RefNull, Funcref)})
		}), []string{"check"}, []string{"_initialize"}, 0, "a vector or a reference"},
	} {
		p, err := Prepare(row.wasm, policy.Defaults)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if !slices.Equal(p.Entry, row.entry) || !slices.Equal(p.Init, row.init) || len(p.Globals) != row.globals || !strings.Contains(p.Changes, row.changes) || (p.Changes == "") != (row.changes == "") {
			t.Errorf("%s: entry %q, init %q, globals %q, changes %q; want %+v", row.name, p.Entry, p.Init, p.Globals, p.Changes, row)
		}
		for engine, config := range engines {
			if got := newMachine(t, config()).execute(t, p); got.err != nil || row.init != nil && got.status < 6 && row.changes == "" {
				t.Errorf("%s, %s: %+v", row.name, engine, got)
			}
		}
	}
}

// nestedLoops is a small function that takes minutes to compile: each variable
// becomes a new value in each loop.
func nestedLoops(depth, variables int) []byte {
	var code []byte
	for range depth {
		code = append(code, Code(Loop, Void)...)
	}
	for i := range variables {
		code = append(code, Code(LocalGet, uint32(i), I64Const, 1, I64Add, LocalSet, uint32(i))...)
	}
	for range depth {
		code = append(code, Code(I32Const, 0, I32Load, uint32(2), uint32(0), BrIf, uint32(0), End)...)
	}
	m := Command(nil, code)
	for range variables {
		m.Funcs[0].Locals = append(m.Funcs[0].Locals, I64)
	}
	return m.Bytes()
}

// chain is a program that repeats code after a condition: every block dominates the
// next one, which makes the compiler's search for loops quadratic.
func chain(n int, parts ...any) []byte {
	return Command(nil, slices.Repeat(Code(MemorySize, Raw(0), Code(parts...)), n)).Bytes()
}
