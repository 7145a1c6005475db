package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goruntime "runtime"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// quiet hears the log of tests that provoke warnings.
var quiet = slog.New(slog.DiscardHandler)

// exitImport is the import of proc_exit.
var exitImport = Import{Module: Preview1, Name: "proc_exit", Type: Signature{Params: []Op{I32}}}

// newRoot makes a root of files, and of facts that are granted.
func newRoot(files []runtime.File, facts map[string]runtime.Document) (*runtime.Root, error) {
	access := policy.Access{Asked: policy.Patterns{"/host/*"}, Granted: policy.Grants{{Pattern: "/host/*"}}}
	return runtime.NewRoot(runtime.RootConfig{Files: files, Access: access, Host: facts})
}

func newEngine(t testing.TB, config runtime.Config) *runtime.Engine {
	t.Helper()
	e, err := runtime.NewEngine(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func program(t testing.TB, e *runtime.Engine, wasm []byte) *runtime.Program {
	t.Helper()
	p, err := e.Program(t.Context(), "test.wasm", wasm, policy.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// engines are the compiler and the interpreter.
func engines(t testing.TB) map[string]*runtime.Engine {
	return map[string]*runtime.Engine{
		"compiled":    newEngine(t, runtime.Config{Log: quiet}),
		"interpreted": newEngine(t, runtime.Config{Log: quiet, Interpret: true}),
	}
}

// status is an exit status as text.
func status(out runtime.Output) string {
	if out.Usage.ExitStatus == nil {
		return "none"
	}
	return fmt.Sprint(*out.Usage.ExitStatus)
}

func TestRun(t *testing.T) {
	t.Parallel()
	both := engines(t)
	for name, row := range map[string]struct {
		wasm           []byte
		stdout, status string
		err            string // in the error; empty for none
	}{
		"prints":                     {Print("OK - fine\n", 0), "OK - fine\n", "0", ""},
		"prints and fails":           {Print("CRITICAL\n", 2), "CRITICAL\n", "2", ""},
		"ends without exit":          {Command(nil, nil).Bytes(), "", "0", ""},
		"exits 2 silently":           {ExitWith(2), "", "2", ""},
		"exits 300":                  {ExitWith(300), "", "300", ""},
		"exits -1":                   {ExitWith(0xffffffff), "", "4294967295", ""},
		"exits as wazero's deadline": {ExitWith(0xefffffff), "", "4026531839", ""},
		"is unreachable":             {Unreachable(), "", "none", "trapped: unreachable: the program gave up"},
		"reads outside":              {Command(nil, Code(I32Const, -4, I32Load, uint32(2), uint32(0), Drop)).Bytes(), "", "none", "trapped: out of bounds memory access"},
		"divides by zero":            {Command(nil, Code(I32Const, 1, I32Const, 0, Op(0x6d), Drop)).Bytes(), "", "none", "trapped: integer divide by zero"},
		"starts outside":             {Command(nil, nil, Data{Offset: Page, Bytes: []byte("x")}).Bytes(), "", "none", "out of bounds memory access"},
		"computes":                   {Fibonacci(13), "", "233", ""},
		"has a big body":             {BigBody(300_000), "big", "0", ""},
	} {
		for engine, e := range both {
			p := program(t, e, row.wasm)
			out, err := p.Run(t.Context(), runtime.Guest{})
			if string(out.Stdout) != row.stdout || status(out) != row.status {
				t.Errorf("%s, %s: printed %q, status %s; want %q, %s", name, engine, out.Stdout, status(out), row.stdout, row.status)
			}
			if (err == nil) != (row.err == "") || err != nil && (!strings.Contains(err.Error(), row.err) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%s, %s: error %v; want %q in it, on one line", name, engine, err, row.err)
			}
		}
	}
}

func TestTrapKeepsTheStack(t *testing.T) {
	t.Parallel()
	for engine, e := range engines(t) {
		_, err := program(t, e, Unreachable()).Run(t.Context(), runtime.Guest{})
		var trap *runtime.Trap
		if !errors.As(err, &trap) || trap.Reason != "unreachable" || trap.Stack == "" || strings.Contains(trap.Stack, "stack trace") {
			t.Errorf("%s: %+v; want the trap with its stack", engine, err)
		}
	}
}

// TestStartSection runs a program that does everything before _start.
func TestStartSection(t *testing.T) {
	t.Parallel()
	start := uint32(1)
	for engine, e := range engines(t) {
		for name, row := range map[string]struct {
			code   []byte
			status string
			err    error
		}{
			"exits":  {Code(I32Const, 7, Call, uint32(0)), "7", nil},
			"spins":  {Code(Loop, Void, Br, uint32(0), End), "none", context.DeadlineExceeded},
			"traps":  {Code(Trap), "none", errors.ErrUnsupported},
			"passes": {nil, "0", nil},
		} {
			m := Module{
				Imports: []Import{exitImport},
				Memory:  Bound{Min: 1}, Start: &start,
				Funcs: []Func{{Code: row.code}, {Export: "_start"}},
			}
			out, err := program(t, e, m.Bytes()).Run(t.Context(), runtime.Guest{Limits: policy.Limits{Time: 50 * time.Millisecond}})
			trapped := errors.As(err, new(*runtime.Trap))
			if status(out) != row.status || trapped != (name == "traps") || !trapped && !errors.Is(err, row.err) {
				t.Errorf("%s, %s: status %s, %v; want %s, %v", name, engine, status(out), err, row.status, row.err)
			}
			if name == "spins" && out.Usage.Instructions < 1<<18 {
				t.Errorf("%s, %s: %d instructions counted", name, engine, out.Usage.Instructions)
			}
		}
	}
}

func TestArgs(t *testing.T) {
	t.Parallel()
	s := new(script).call("args_get", scriptRoom, scriptRoom+64).dump(scriptRoom+64, 17)
	s.call("environ_sizes_get", scriptRoom, scriptRoom+4).dump(scriptRoom, 8)
	e := newEngine(t, runtime.Config{})
	p := program(t, e, s.wasm())
	out, err := p.Run(t.Context(), runtime.Guest{Args: []string{"check_x", "", "-w", "8\xff"}})
	want := "\x00\x00\x00\x00check_x\x00\x00-w\x008\xff\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"
	if string(out.Stdout) != want || err != nil {
		t.Errorf("args and environment: %q, %v; want %q", out.Stdout, err, want)
	}
	for name, args := range map[string][]string{
		"NUL":      {"check_x", "a\x00b"},
		"too long": {"check_x", strings.Repeat("x", runtime.MaxArgs)},
		"too many": make([]string, runtime.MaxArgs+1),
	} {
		if _, err := p.Run(t.Context(), runtime.Guest{Args: args}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	counts := map[uint64]bool{}
	for engine, e := range engines(t) {
		p := program(t, e, Fibonacci(20))
		for range 2 {
			out, err := p.Run(t.Context(), runtime.Guest{})
			if err != nil || out.Usage.Wall < 0 || out.Usage.Memory != Page {
				t.Errorf("%s: %+v, %v", engine, out.Usage, err)
			}
			counts[out.Usage.Instructions] = true
		}
		out, err := program(t, e, Print("four", 1)).Run(t.Context(), runtime.Guest{})
		if err != nil || out.Usage.Output != 4 || out.Usage.Instructions == 0 {
			t.Errorf("%s: %+v, %v; want 4 bytes of output", engine, out.Usage, err)
		}
		out, err = program(t, e, growTableInVain(10)).Run(t.Context(), runtime.Guest{})
		if want := uint64(10*(4+1<<28-1) + 1); err != nil || out.Usage.Instructions != want {
			t.Errorf("%s: %+v, %v; want %d instructions", engine, out.Usage, err, want)
		}
		out, err = program(t, e, GrowMemory()).Run(t.Context(), runtime.Guest{Limits: policy.Limits{Memory: 4 * policy.MiB}})
		if err != nil || out.Usage.Memory != 4<<20 {
			t.Errorf("%s: %+v, %v; want a peak of 4 MiB", engine, out.Usage, err)
		}
	}
	if len(counts) != 1 {
		t.Errorf("the same run counted %v; want one number", counts)
	}
}

// growTableInVain makes the most expensive calls that there are, all of which fail.
func growTableInVain(times int) []byte {
	m := Command(nil, slices.Repeat(Code(RefNull, Funcref, I32Const, -1, TableGrow, uint32(0), Drop), times))
	m.Tables = []Bound{{Min: 1}}
	return m.Bytes()
}

func TestMemoryThatCannotBeHad(t *testing.T) {
	t.Parallel()
	m := Command(nil, nil)
	m.Memory.Min = 32
	for engine, e := range engines(t) {
		_, err := program(t, e, m.Bytes()).Run(t.Context(), runtime.Guest{Limits: policy.Limits{Memory: policy.MiB}})
		if err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("%s: %v; want an error that names the limit", engine, err)
		}
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	cause := errors.New("the agent ends")
	for engine, e := range engines(t) {
		p := program(t, e, Spin())
		_, err := p.Run(t.Context(), runtime.Guest{Limits: policy.Limits{Time: 20 * time.Millisecond}})
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "stopped after 20ms, its time limit" {
			t.Errorf("%s, time limit: %v", engine, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := p.Run(ctx, runtime.Guest{}); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "stopped: ") {
			t.Errorf("%s, caller's deadline: %v", engine, err)
		}
		cancel()
		ctx, end := context.WithCancelCause(t.Context())
		end(cause)
		if _, err := p.Run(ctx, runtime.Guest{}); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("%s, cancelled before: %v", engine, err)
		}
	}
}

func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	for engine, e := range engines(t) {
		p := program(t, e, Print("OK", 1))
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%10 == 9 {
					cancel()
				}
				out, err := p.Run(ctx, runtime.Guest{Args: []string{"x"}})
				if i%10 == 9 != (err != nil) || err == nil && (string(out.Stdout) != "OK" || status(out) != "1") {
					t.Errorf("%s, run %d: %q, %v", engine, i, out.Stdout, err)
				}
			})
		}
		group.Wait()
	}
}

// TestNoStatePasses runs a program that counts in its memory, its global and its
// table how often it was run.
func TestNoStatePasses(t *testing.T) {
	t.Parallel()
	m := Command([]Import{exitImport}, Code(
		I32Const, 8, I32Const, 8, I32Load, uint32(2), uint32(0), I32Const, 1, I32Add, I32Store, uint32(2), uint32(0),
		GlobalGet, uint32(0), I32Const, 1, I32Add, GlobalSet, uint32(0),
		I32Const, 1, MemoryGrow, Raw(0), Drop,
		I32Const, 8, I32Load, uint32(2), uint32(0), GlobalGet, uint32(0), I32Add, MemorySize, Raw(0), I32Add, Call, uint32(0),
	))
	m.Globals = []Global{{Type: I32, Init: Code(I32Const, 0)}}
	for engine, e := range engines(t) {
		p := program(t, e, m.Bytes())
		for range 3 {
			if out, err := p.Run(t.Context(), runtime.Guest{}); err != nil || status(out) != "4" {
				t.Errorf("%s: status %s, %v; want 4 each time", engine, status(out), err)
			}
		}
	}
}

// TestCollectorIsNotKeptWaiting collects garbage while a program runs that never
// ends by itself. If the program kept the collector waiting, the collection would
// end only after the program's time.
func TestCollectorIsNotKeptWaiting(t *testing.T) {
	t.Parallel()
	for name, code := range map[string][]byte{
		"spins":    Code(Loop, Void, Br, uint32(0), End),
		"recurses": nil,
	} {
		started := make(chan struct{}, 1)
		root, err := newRoot(nil, map[string]runtime.Document{"started": func(context.Context) ([]byte, error) {
			started <- struct{}{}
			return nil, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		s := new(script).open("host/started", 0, rightRead)
		s.code = append(s.code, code...)
		wasm := s.wasm()
		if code == nil {
			wasm = recurseAfter(s)
		}
		p := program(t, newEngine(t, runtime.Config{}), wasm)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := p.Run(ctx, runtime.Guest{Root: root, Limits: policy.Limits{Time: time.Minute}})
			done <- err
		}()
		<-started
		for range 3 {
			goruntime.GC()
		}
		select {
		case err := <-done:
			t.Errorf("%s: the run ended before it was cancelled: %v", name, err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v; want it cancelled", name, err)
		}
	}
}

// recurseAfter is a script that goes on with a recursion without loops that takes
// hours.
func recurseAfter(s *script) []byte {
	self := uint32(len(s.imports) + 1)
	m := Command(s.imports, Code(s.code, I64Const, 60, Call, self, Drop), Data{Offset: scriptText, Bytes: s.text})
	m.Funcs = append(m.Funcs, Func{Type: Signature{Params: []Op{I64}, Results: []Op{I64}}, Code: Code(
		LocalGet, uint32(0), I64Eqz, If, I64, I64Const, 1, Else,
		LocalGet, uint32(0), I64Const, 1, I64Sub, Call, self,
		LocalGet, uint32(0), I64Const, 1, I64Sub, Call, self, I64Add, End,
	)})
	return m.Bytes()
}

func TestClosedProgram(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{})
	p := program(t, e, Print("OK", 0))
	other := program(t, e, Print("OK", 0))
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Run(t.Context(), runtime.Guest{}); err != runtime.ErrClosed {
		t.Errorf("a closed program: %v; want %v", err, runtime.ErrClosed)
	}
	if out, err := other.Run(t.Context(), runtime.Guest{}); err != nil || string(out.Stdout) != "OK" {
		t.Errorf("the same, not closed: %q, %v", out.Stdout, err)
	}
}

// TestCloseDuringRun closes a program and its engine while it runs: the run goes
// on to its end, and the engine waits for it.
func TestCloseDuringRun(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{})
	started, finish := make(chan struct{}), make(chan struct{})
	root, err := newRoot(nil, map[string]runtime.Document{"wait": func(context.Context) ([]byte, error) {
		close(started)
		<-finish
		return []byte("fact"), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := program(t, e, new(script).open("host/wait", 0, rightRead).wasm())
	ran := make(chan error, 1)
	go func() {
		out, err := p.Run(t.Context(), runtime.Guest{Root: root})
		if !bytes.Equal(out.Stdout, make([]byte, 4)) {
			err = fmt.Errorf("printed %q, %w", out.Stdout, err)
		}
		ran <- err
	}()
	<-started
	_ = p.Close()
	closed := make(chan error, 1)
	go func() { closed <- e.Close() }()
	select {
	case <-closed:
		t.Error("the engine was closed with a run in progress")
	default:
	}
	close(finish)
	if err := <-ran; err != nil {
		t.Errorf("the run: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := e.Program(t.Context(), "x", Print("OK", 0), policy.Limits{}); err != runtime.ErrClosed {
		t.Errorf("a program of a closed engine: %v", err)
	}
}
