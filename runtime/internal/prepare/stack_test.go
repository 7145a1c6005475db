package prepare_test

import (
	"errors"
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
)

func TestStack(t *testing.T) {
	t.Parallel()
	for name, wasm := range recursions() {
		for engine, config := range engines {
			m := newMachine(t, config())
			if got := m.execute(t, prepared(t, wasm, policy.Limits{Stack: 64 * policy.KiB})); !errors.Is(got.err, errStackExhausted) {
				t.Errorf("%s, %s: ended with %v; want an exhausted stack", name, engine, got.err)
			}
		}
	}
}

// TestStackOfChain wants a chain of calls to be stopped that no cycle is part of, if the
// stack is too small for it, and not if it is not.
func TestStackOfChain(t *testing.T) {
	t.Parallel()
	m := Command(nil, Code(Call, uint32(1)))
	for i := range 99 {
		m.Funcs = append(m.Funcs, Func{Locals: slices.Repeat([]Op{I64}, 100), Code: Code(
			each(100, func(i int) []byte { return Code(load(i), LocalSet, uint32(i)) }), Call, uint32(i+2), each(100, store),
		)})
	}
	m.Funcs = append(m.Funcs, Func{})
	for _, row := range []struct {
		stack policy.Bytes
		want  error
	}{{64 * policy.KiB, errStackExhausted}, {policy.MiB, nil}} {
		for engine, config := range engines {
			if got := newMachine(t, config()).execute(t, prepared(t, m.Bytes(), policy.Limits{Stack: row.stack})); !errors.Is(got.err, row.want) {
				t.Errorf("%s, %s: ended with %v; want %v", row.stack, engine, got.err, row.want)
			}
		}
	}
}

// TestStackOfProcess watches what the engine allocates for the stack of programs
// that recurse without end: the stack doubles when it is full, and each step stays
// in the sum of what was allocated.
func TestStackOfProcess(t *testing.T) {
	for name, wasm := range recursions() {
		const limit = 4 * policy.MiB
		m := newMachine(t, engines["compiled"]())
		p := prepared(t, wasm, policy.Limits{Stack: limit})
		m.meter.stack = p.Stack
		compiled, err := m.CompileModule(t.Context(), p.Wasm)
		if err != nil {
			t.Fatal(err)
		}
		module, err := m.InstantiateModule(t.Context(), compiled, wazero.NewModuleConfig().WithStartFunctions())
		if err != nil {
			t.Fatal(err)
		}
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		if _, err := module.ExportedFunction("_start").Call(t.Context()); err == nil {
			t.Errorf("%s: ended; want an exhausted stack", name)
		}
		goruntime.ReadMemStats(&after)
		if got := policy.Bytes(after.TotalAlloc - before.TotalAlloc); got > 6*limit {
			t.Errorf("%s: allocated %d bytes for a stack of at most %d", name, got, limit)
		}
	}
}

// recursions are programs that recurse without end, with frames of every shape.
func recursions() map[string][]byte {
	return map[string][]byte{
		"nothing":         RecurseForever(),
		"20 parameters":   RecurseWith(20),
		"1000 parameters": RecurseWith(1000),
		"1000 locals": recursion(1000, Code(
			each(1000, func(i int) []byte { return Code(load(i), LocalSet, uint32(i)) }), Call, uint32(1),
			each(1000, store),
		)),
		"1000 operands": recursion(0, Code(
			each(1000, load), Call, uint32(1), slices.Repeat([]byte{byte(I64Add)}, 999), Drop,
		)),
		"operands of calls": recursion(0, each(500, func(i int) []byte { return Code(load(i), Call, uint32(1), Drop) })),
		"loops": recursion(100, Code(
			slices.Repeat(Code(Loop, Void), 4), Call, uint32(1), each(100, increment),
			slices.Repeat(Code(I32Const, 0, I32Load, uint32(2), uint32(0), BrIf, uint32(0), End), 4),
			each(100, store),
		)),
		"branches": recursion(100, Code(
			slices.Repeat(Code(Block, Void), 16), each(100, increment),
			slices.Repeat(Code(Call, uint32(1), I32Const, 0, I32Load, uint32(2), uint32(0), BrIf, uint32(0), each(20, increment), End), 16),
			each(100, store),
		)),
		"operands without calls": recursion(0, Code(
			slices.Repeat(Code(I32Const, 0, each(100, load), slices.Repeat([]byte{byte(I64Add)}, 99), I64Store, uint32(3), uint32(0)), 100), Call, uint32(1),
		)),
		"results of calls":    passing(Code(slices.Repeat(Code(Call, uint32(2)), 1500), Call, uint32(1))),
		"results of itself":   passing(slices.Repeat(Code(Call, uint32(1)), 1500)),
		"parameters of loops": passing(Code(slices.Repeat(Code(Loop, 1, I64Const, 3, I64Add, I32Const, 0, I32Load, uint32(2), uint32(0), BrIf, uint32(0), End), 1000), Call, uint32(1))),
		"results of blocks":   passing(Code(slices.Repeat(Code(Block, 1, I32Const, 0, I32Load, uint32(2), uint32(0), BrIf, uint32(0), Call, uint32(2), End), 300), Call, uint32(1))),
	}
}

// passing is a program whose second and third functions, and whose type 1, have 32
// parameters and as many results; the code of the second works on them.
func passing(code []byte) []byte {
	s := Signature{Params: slices.Repeat([]Op{I64}, 32), Results: slices.Repeat([]Op{I64}, 32)}
	params := each(32, func(i int) []byte { return Code(LocalGet, uint32(i)) })
	m := Command(nil, Code(slices.Repeat(Code(I64Const, 1), 32), Call, uint32(1), slices.Repeat(Code(Drop), 32)))
	m.Funcs = append(m.Funcs, Func{Type: s, Code: Code(params, code)}, Func{Type: s, Code: params})
	return m.Bytes()
}

// recursion is a program whose second function has that many locals, and calls
// itself.
func recursion(locals int, code []byte) []byte {
	m := Command(nil, Code(Call, uint32(1)))
	m.Funcs = append(m.Funcs, Func{Locals: slices.Repeat([]Op{I64}, locals), Code: code})
	return m.Bytes()
}

func each(n int, step func(i int) []byte) []byte {
	var code []byte
	for i := range n {
		code = append(code, step(i)...)
	}
	return code
}

func load(i int) []byte { return Code(I32Const, i*8, I64Load, uint32(3), uint32(0)) }

func store(i int) []byte {
	return Code(I32Const, i*8, LocalGet, uint32(i), I64Store, uint32(3), uint32(0))
}

func increment(i int) []byte {
	return Code(LocalGet, uint32(i), I64Const, i+1, I64Add, LocalSet, uint32(i))
}
