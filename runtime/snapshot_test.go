package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// counts adds one to a number in memory and to a global.
var counts = Code(
	I32Const, 8, I32Const, 8, I32Load, uint32(2), uint32(0), I32Const, 1, I32Add, I32Store, uint32(2), uint32(0),
	GlobalGet, uint32(0), I32Const, 1, I32Add, GlobalSet, uint32(0),
)

// counted is the sum of both.
var counted = Code(I32Const, 8, I32Load, uint32(2), uint32(0), GlobalGet, uint32(0), I32Add)

// counting is a reactor that counts when it is initialised and at each check, of which
// the status is the sum of the counts: from 10 before anything.
func counting(change func(*Module)) []byte {
	m := Reactor([]Import{exitImport}, counts, Code(counts, counted), Data{Offset: 8, Bytes: []byte{4}})
	m.Globals = []Global{{Type: I32, Init: Code(I32Const, 6)}}
	change(&m)
	return m.Bytes()
}

// calling is a reactor that calls a function of WASI while it is initialised.
func calling(name string, args ...any) func(*Module) {
	return func(m *Module) {
		s := &script{imports: m.Imports}
		m.Funcs[0].Code = Code(m.Funcs[0].Code, s.invoke(name, args...), Drop)
		m.Imports = s.imports
	}
}

// snapshots are reactors, with the status of each of their runs, and why they begin
// anew; empty if they begin from a snapshot.
var snapshots = []struct {
	name   string
	wasm   []byte
	status string
	fresh  string
}{
	{"counts", counting(func(*Module) {}), "14", ""},
	{"has no _initialize", counting(func(m *Module) { m.Funcs[0].Export = "" }), "12", ""},
	{"starts too", counting(func(m *Module) { m.Start = new(uint32(1)) }), "16", ""},
	{"exits", counting(func(m *Module) { m.Funcs[1].Code = Code(counts, counted, Call, uint32(0), I32Const, 9) }), "14", ""},
	{"grows", counting(func(m *Module) {
		m.Funcs[0].Code = Code(m.Funcs[0].Code, I32Const, 3, MemoryGrow, Raw(0), Drop, I32Const, 3*Page, I32Const, 7, I32Store, uint32(2), uint32(0))
		m.Funcs[1].Code = Code(m.Funcs[1].Code, I32Const, 3*Page, I32Load, uint32(2), uint32(0), I32Add, MemorySize, Raw(0), I32Add, I32Const, 1, MemoryGrow, Raw(0), Drop)
	}), "25", ""},
	{"is a command", Print("OK", 3), "3", "a command"},
	{"reads its arguments", counting(calling("args_sizes_get", scriptRoom, scriptRoom+4)), "14", ""},
	{"reads a clock", counting(calling("clock_time_get", 1, int64(0), scriptRoom)), "14", ""},
	{"reads the time", counting(calling("clock_time_get", 0, int64(0), scriptRoom)), "14", "reads the clock"},
	{"asks for randomness", counting(calling("random_get", scriptRoom, 32)), "14", "randomness"},
	{"asks for much randomness", counting(calling("random_get", scriptRoom, 64)), "14", "randomness"},
	{"prints", counting(calling("fd_write", 1, scriptRoom, 1, scriptRoom+8)), "14", "calls fd_write"},
	{"reads its input", counting(calling("fd_read", 0, scriptRoom, 1, scriptRoom+8)), "14", "calls fd_read"},
	{"opens", counting(calling("path_open", 3, 0, scriptRoom, 1, 0, int64(0), int64(0), 0, scriptRoom)), "14", "calls path_open"},
	{"waits", counting(calling("poll_oneoff", scriptRoom, scriptRoom, 0, scriptRoom)), "14", "calls poll_oneoff"},
	{"sets flags", counting(calling("fd_fdstat_set_flags", 3, 0)), "14", "calls fd_fdstat_set_flags"},
	{"traps at its start", counting(func(m *Module) { m.Funcs[0].Code = Code(Trap) }), "none", "its initialisation fails: trapped"},
	{"ends at its start", counting(func(m *Module) { m.Funcs[0].Code = Code(I32Const, 5, Call, uint32(0)) }), "5", "ends while it is initialised"},
	{"changes its table", counting(func(m *Module) {
		m.Tables = []Bound{{Min: 1}}
		m.Funcs[0].Code = Code(m.Funcs[0].Code, I32Const, 0, RefFunc, uint32(1), TableSet, uint32(0))
		m.Elements = []uint32{1}
	}), "14", "tables"},
	{"has data for later", counting(func(m *Module) { m.Data = append(m.Data, Data{Passive: true, Bytes: []byte("x")}) }), "14", "data segments"},
}

// TestSnapshots wants every run of a reactor to be the same, and as long, in both
// engines, whether it begins from a snapshot or not.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	both := engines(t)
	for _, row := range snapshots {
		instructions := map[uint64]bool{}
		for engine, e := range both {
			p := program(t, e, row.wasm)
			for n := range 3 {
				out, err := p.Run(t.Context(), runtime.Guest{Args: []string{"x", "y"}})
				if status(out) != row.status || (err == nil) != (row.status != "none") {
					t.Errorf("%s, %s, run %d: status %s, %v; want %s", row.name, engine, n, status(out), err, row.status)
				}
				instructions[out.Usage.Instructions] = true
			}
			if err := p.Snapshot(t.Context(), policy.Limits{}); (err == nil) != (row.fresh == "") || err != nil && !strings.Contains(err.Error(), row.fresh) {
				t.Errorf("%s, %s: %v; want %q", row.name, engine, err, row.fresh)
			}
		}
		if len(instructions) != 1 {
			t.Errorf("%s: runs of %v instructions", row.name, instructions)
		}
	}
}

// TestSnapshotInTime wants an initialisation to end with the run that waits for it, and
// the next to try again.
func TestSnapshotInTime(t *testing.T) {
	t.Parallel()
	spins := counting(func(m *Module) { m.Funcs[0].Code = Code(Loop, Void, Br, uint32(0), End) })
	limits := policy.Limits{Time: 20 * time.Millisecond}
	for engine, e := range engines(t) {
		p := program(t, e, spins)
		for range 2 {
			if _, err := p.Run(t.Context(), runtime.Guest{Limits: limits}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", engine, err)
			}
			if err := p.Snapshot(t.Context(), limits); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: snapshot: %v", engine, err)
			}
		}
	}
}

// deep are calls within one another, as many as the top of the operand stack says.
var deep = Func{Type: Signature{Params: []Op{I32}}, Code: Code(
	LocalGet, uint32(0), If, Void, LocalGet, uint32(0), I32Const, 1, I32Sub, Call, uint32(3), End,
)}

// TestSnapshotOfDeepCalls wants a run to have the stack of its limit, and no more, however
// much of it the initialisation needed.
func TestSnapshotOfDeepCalls(t *testing.T) {
	t.Parallel()
	limits := policy.Limits{Stack: 128 * policy.KiB}
	descend := func(depth int) []byte {
		return counting(func(m *Module) {
			m.Funcs[0].Code = Code(I32Const, depth, Call, uint32(3))
			m.Funcs[1].Code = Code(I32Const, 1<<30, Call, uint32(3), I32Const, 0)
			m.Funcs = append(m.Funcs, deep)
		})
	}
	for engine, e := range engines(t) {
		var instructions [2]uint64
		for i, depth := range []int{1, 600} {
			p, err := e.Program(t.Context(), "deep", descend(depth), limits)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Snapshot(t.Context(), limits); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				out, err := p.Run(t.Context(), runtime.Guest{Limits: limits})
				if err == nil || !strings.Contains(err.Error(), "stack") {
					t.Errorf("%s, %d: %v", engine, depth, err)
				}
				instructions[i] = out.Usage.Instructions
			}
		}
		if instructions[0] != instructions[1] {
			t.Errorf("%s: %d instructions until the stack is exhausted, %d after a deep initialisation", engine, instructions[0], instructions[1])
		}
	}
}

// filling is a reactor that fills its memory of 16 pages while it is initialised.
func filling() []byte {
	return counting(func(m *Module) {
		m.Memory.Min = 16
		m.Funcs[0].Code = Code(I32Const, 0, I32Const, 7, I32Const, 16*Page, MemoryFill, Raw(0))
		m.Funcs[1].Code = Code(I32Const, 15*Page, I32Load8U, uint32(0), uint32(0))
	})
}

// TestSnapshotsHaveRoom wants a program to run as well for which there is no room to keep
// its snapshot, and one that is closed to give its room back.
func TestSnapshotsHaveRoom(t *testing.T) {
	t.Parallel()
	for engine, e := range engines(t) {
		e.SetRoom(20 * Page)
		run := func(name string, limits policy.Limits, fresh string) *runtime.Program {
			p, err := e.Program(t.Context(), name, filling(), limits)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if out, err := p.Run(t.Context(), runtime.Guest{Limits: limits}); status(out) != "7" {
					t.Errorf("%s, %s: status %s, %v", engine, name, status(out), err)
				}
			}
			if err := p.Snapshot(t.Context(), limits); (err == nil) != (fresh == "") || err != nil && !strings.Contains(err.Error(), fresh) {
				t.Errorf("%s, %s: %v; want %q", engine, name, err, fresh)
			}
			return p
		}
		first := run("first", policy.Limits{Memory: policy.MiB}, "")
		run("second", policy.Limits{Memory: 2 * policy.MiB}, "leave no memory").Close()
		first.Close()
		run("third", policy.Limits{Memory: 3 * policy.MiB}, "").Close()
	}
}

// TestSnapshotOnceCompiled wants the snapshot of a program that cannot be initialised in
// the interpreter, which allows fewer calls within one another.
func TestSnapshotOnceCompiled(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	g := newGate()
	p := program(t, newEngine(t, runtime.Config{Log: quiet, InterpretFirst: true, Compiling: g.compiling}), counting(func(m *Module) {
		m.Funcs[0].Code = Code(counts, I32Const, 50_000, Call, uint32(3))
		m.Funcs = append(m.Funcs, deep)
	}))
	if _, err := p.Run(t.Context(), runtime.Guest{}); err == nil || !strings.Contains(err.Error(), "stack overflow") {
		t.Errorf("interpreted: %v", err)
	}
	close(g.open)
	if err := p.Compiled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Snapshot(t.Context(), policy.Limits{}); err != nil {
		t.Error(err)
	}
	if out, err := p.Run(t.Context(), runtime.Guest{}); status(out) != "14" {
		t.Errorf("compiled: status %s, %v", status(out), err)
	}
}
