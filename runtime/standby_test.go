package runtime_test

import (
	"bytes"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	goruntime "runtime"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// probed is a script that prints what it finds in its descriptors, its memory, its variables
// and its table. Given an argument it prints even that which it cannot ask without a trace,
// otherwise it does something.
func probed(do func(*script)) []byte {
	s := new(script)
	for fd := range 7 {
		s.call("fd_fdstat_get", fd, scriptRoom).dump(scriptRoom, 24)
		s.call("fd_filestat_get", fd, scriptRoom).dump(scriptRoom, 64)
		s.call("fd_prestat_get", fd, scriptRoom).dump(scriptRoom, 8)
	}
	s.open("module.json", 0, rightRead).dump(scriptRoom, 4).call("fd_tell", 4, scriptRoom).dump(scriptRoom, 8).call("fd_close", 4)
	s.open("data", oDirectory, rightRead).dump(scriptRoom, 4).call("fd_close", 4)
	for _, code := range [][]byte{
		Code(GlobalGet, uint32(0)), Code(MemorySize, Raw(0)), Code(TableSize, uint32(0)),
		Code(I32Const, 100, I32Load, uint32(2), uint32(0)), Code(I32Const, 4*Page-4, I32Load, uint32(2), uint32(0)), Code(I32Const, 2*Page, I32Load, uint32(2), uint32(0)),
	} {
		s.do(I32Const, scriptRoom, code, I32Store, uint32(2), uint32(0)).dump(scriptRoom, 4)
	}
	s.call("args_sizes_get", scriptRoom, scriptRoom+4).do(I32Const, scriptRoom, I32Load, uint32(2), uint32(0), If, Void)
	for fd := range 7 {
		s.call("fd_tell", fd, scriptRoom).dump(scriptRoom, 8)
	}
	s.call("fd_readdir", 3, scriptRoom, 512, int64(0), scriptRoom+512).dump(scriptRoom+512, 4).dump(scriptRoom, 128)
	s.do(I32Const, 1, CallIndirect, uint32(0), uint32(0), Else)
	do(s)
	s.do(End)
	m := Command(s.imports, s.code, Data{Offset: scriptText, Bytes: s.text}, Data{Offset: 100, Bytes: []byte{7}})
	m.Memory.Min = 4
	m.Globals = []Global{{Type: I32, Init: Code(I32Const, 6)}}
	m.Tables, m.Elements = []Bound{{Min: 2, Max: 20}}, []uint32{uint32(len(s.imports)), uint32(len(s.imports)) + 1}
	m.Funcs = append(m.Funcs, Func{Code: Code(Nop)})
	return m.Bytes()
}

func (s *script) do(parts ...any) *script {
	s.code = append(s.code, Code(parts...)...)
	return s
}

// leaks are what a run could leave behind, and whether its instance may wait for the next
// run nevertheless.
var leaks = []struct {
	name  string
	do    func(*script)
	waits bool
}{
	{"nothing", func(*script) {}, true},
	{"memory", func(s *script) {
		for _, at := range []int{100, 2 * Page, 3*Page + 5000, 4*Page - 4} {
			s.do(I32Const, at, I32Const, 0x5ec4e7, I32Store, uint32(2), uint32(0))
		}
	}, true},
	{"all memory", func(s *script) { s.do(I32Const, 0, I32Const, 0xaa, I32Const, 4*Page, MemoryFill, Raw(0)) }, true},
	{"more memory", func(s *script) {
		s.do(I32Const, 1, MemoryGrow, Raw(0), Drop, I32Const, 4*Page, I32Const, 9, I32Store, uint32(2), uint32(0))
	}, false},
	{"a variable", func(s *script) { s.do(I32Const, 99, GlobalSet, uint32(0)) }, true},
	{"a table's entry", func(s *script) { s.do(I32Const, 1, RefNull, Funcref, TableSet, uint32(0)) }, false},
	{"a larger table", func(s *script) { s.do(RefNull, Funcref, I32Const, 3, TableGrow, uint32(0), Drop) }, false},
	{"an open file", func(s *script) { s.open("module.json", 0, rightRead).open("data", oDirectory, rightRead) }, true},
	{"many open files", func(s *script) {
		for range 20 {
			s.open("module.json", 0, rightRead)
		}
	}, true},
	{"a file at another number", func(s *script) { s.open("module.json", 0, rightRead).call("fd_renumber", 4, 6) }, false},
	{"a file in place of a stream", func(s *script) { s.open("module.json", 0, rightRead).call("fd_renumber", 4, 0) }, false},
	{"a closed stream", func(s *script) { s.call("fd_close", 2) }, false},
	{"a closed root", func(s *script) { s.call("fd_close", 3) }, false},
	{"a position", func(s *script) { s.open("module.json", 0, rightRead).call("fd_seek", 4, int64(5), 0, scriptRoom) }, true},
	{"a position of a stream", func(s *script) { s.call("fd_seek", 1, int64(5), 0, scriptRoom) }, false},
	{"a listing", func(s *script) { s.call("fd_readdir", 3, scriptRoom, 64, int64(0), scriptRoom+512) }, false},
	{"flags", func(s *script) { s.call("fd_fdstat_set_flags", 0, 4).call("fd_fdstat_set_flags", 3, 1) }, false},
	{"flags of streams", func(s *script) { s.call("fd_fdstat_set_flags", 0, 4).call("fd_fdstat_set_flags", 1, 1) }, true},
	{"a shutdown", func(s *script) { s.call("sock_shutdown", 3, 3) }, false},
	{"an exit", func(s *script) { s.do(I32Const, 98, GlobalSet, uint32(0)).exit(3) }, true},
	{"an exit deep down", func(s *script) { s.do(Block, Void, Loop, Void).exit(0).do(End, End) }, true},
	{"a trap", func(s *script) { s.do(I32Const, 97, GlobalSet, uint32(0), Trap) }, false},
	{"too much output", func(s *script) { s.forever("fd_write", 1, scriptVector, 1, scriptRoom) }, false},
}

func (s *script) exit(status int) *script {
	return s.do(I32Const, status, Call, s.function(Import{Module: Preview1, Name: "proc_exit", Type: Signature{Params: []Op{I32}}}))
}

// TestRunsShareNothing wants every run to find what the first one found, whatever that left
// behind, and wherever its instance comes from.
func TestRunsShareNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, runsShareNothing) // so that instances wait however busy the machine is
}

func runsShareNothing(t *testing.T) {
	for _, row := range leaks {
		wasm := probed(row.do)
		for engine, e := range engines(t) {
			p := program(t, e, wasm)
			run := func(args ...string) []byte {
				out, _ := p.Run(t.Context(), runtime.Guest{Args: args, Root: exampleRoot(t), Limits: policy.Limits{Output: 64 * policy.KiB, Time: time.Minute}})
				return out.Stdout
			}
			all := run("everything")
			first := run()
			for n := range 4 {
				if got := run(); !bytes.Equal(got, first) {
					t.Errorf("%s, %s: a later run found %q; the first %q", row.name, engine, got, first)
				}
				if all, used := p.Waiting(); row.waits && all == 0 || !row.waits && used > 0 {
					t.Errorf("%s, %s: %d instances wait, %d of them used; may one be: %v", row.name, engine, all, used, row.waits)
				}
				if n == 2 {
					time.Sleep(aWhile)
				}
			}
			if got := run("everything"); !bytes.Equal(got, all) || len(all) < 1000 {
				t.Errorf("%s, %s: the last run found %q; the first %q", row.name, engine, got, all)
			}
		}
	}
}

// TestStandby wants an instance to wait for a program that is busy, and only where there is
// memory enough.
func TestStandby(t *testing.T) {
	t.Parallel()
	synctest.Test(t, standby)
}

// aWhile is longer than an agent has to be idle for instances to be made, and aLong longer
// than they wait.
const aWhile, aLong = time.Second, 10 * time.Second

func standby(t *testing.T) {
	var short atomic.Bool
	e := newEngine(t, runtime.Config{Log: quiet, Pressed: short.Load})
	p := program(t, e, Print("OK", 0))
	waits := func(after string, want bool) {
		t.Helper()
		if all, _ := p.Waiting(); (all > 0) != want {
			t.Errorf("after %s: %d instances wait", after, all)
		}
	}
	run := func() {
		t.Helper()
		if out, err := p.Run(t.Context(), runtime.Guest{}); err != nil || string(out.Stdout) != "OK" {
			t.Errorf("%q, %v", out.Stdout, err)
		}
	}
	run()
	waits("the first run", false)
	run()
	waits("the second run", true)
	time.Sleep(aWhile)
	if all, used := p.Waiting(); all == 0 || used > 0 {
		t.Errorf("%d instances wait while the agent is idle, %d of them used", all, used)
	}
	time.Sleep(aLong)
	waits("a long time", false)
	run()
	run()
	short.Store(true)
	time.Sleep(aLong)
	run()
	run()
	time.Sleep(aWhile)
	waits("runs when memory is short", false)
	short.Store(false)
	time.Sleep(aLong)
	run()
	run()
	waits("memory is there again", true)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestWaitingKeepsNothing wants an instance that waits to keep nothing of its last run: its
// input, and so its arguments, its files and its output.
func TestWaitingKeepsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, waitingKeepsNothing)
}

func waitingKeepsNothing(t *testing.T) {
	wasm := new(script).open("module.json", 0, rightRead).call("fd_read", 0, scriptVector, 1, scriptRoom).wasm()
	for engine, e := range engines(t) {
		p := program(t, e, wasm)
		run := func() weak.Pointer[byte] {
			input := make([]byte, 1<<20)
			if _, err := p.Run(t.Context(), runtime.Guest{Root: exampleRoot(t), Input: input}); err != nil {
				t.Error(err)
			}
			return weak.Make(&input[0])
		}
		for range 3 {
			kept := run()
			goruntime.GC()
			if kept.Value() != nil {
				t.Errorf("%s: the input is still there after the run", engine)
			}
		}
		if all, _ := p.Waiting(); all == 0 {
			t.Errorf("%s: no instance waits", engine)
		}
	}
}

// TestRunsOfManyModules wants the runs of one program to have the files, the limits and the
// observer of their own module, whichever had the instance before.
func TestRunsOfManyModules(t *testing.T) {
	t.Parallel()
	synctest.Test(t, runsOfManyModules)
}

func runsOfManyModules(t *testing.T) {
	s := new(script)
	for range 3 {
		s.open("module.json", 0, rightRead)
	}
	wasm := s.open("elsewhere", 0, rightRead).wasm()
	for engine, e := range engines(t) {
		p := program(t, e, wasm)
		for n := range 8 {
			observed := 0
			guest := runtime.Guest{Observe: func(runtime.Attempt) { observed++ }}
			want := []uint32{eNOENT, eNOENT, eNOENT, eNOENT}
			switch n % 3 {
			case 1:
				guest.Root, want = exampleRoot(t), []uint32{0, 0, 0, eNOENT}
			case 2:
				guest.Root, guest.Limits.OpenFiles, want = exampleRoot(t), 2, []uint32{0, 0, eMFILE, eMFILE}
			}
			out, err := p.Run(t.Context(), guest)
			if got := errnos(t, out); err != nil || !slices.Equal(got, want) || observed != len(want) {
				t.Errorf("%s, run %d: %v, %v, observed %d; want %v, all observed", engine, n, got, err, observed, want)
			}
		}
		if all, _ := p.Waiting(); all == 0 {
			t.Errorf("%s: no instance waits", engine)
		}
	}
}

// TestWaitingTables wants instances with large tables to count for what these take.
func TestWaitingTables(t *testing.T) {
	t.Parallel()
	synctest.Test(t, waitingTables)
}

func waitingTables(t *testing.T) {
	e := newEngine(t, runtime.Config{Log: quiet, Interpret: true})
	waiting := 0
	for i := range 10 {
		m := Command(nil, nil, Data{Bytes: []byte{byte(i)}})
		m.Tables = slices.Repeat([]Bound{{Min: 1 << 16}}, 16) // 8 MiB
		p := program(t, e, m.Bytes())
		for range 2 {
			if _, err := p.Run(t.Context(), runtime.Guest{}); err != nil {
				t.Error(err)
			}
		}
		all, _ := p.Waiting()
		waiting += all
	}
	if waiting == 0 || waiting > 8 {
		t.Errorf("%d instances of 8 MiB wait; want some, of 64 MiB at most", waiting)
	}
}
