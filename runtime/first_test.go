package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// A gate holds compilations up until it is opened.
type gate struct {
	counter
	open chan struct{}
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) compiling(name string) func() {
	done := g.counter.compiling(name)
	<-g.open
	return done
}

// TestInterpretFirst wants a program to answer before it is compiled, while it is and
// afterwards, always the same.
func TestInterpretFirst(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	g := newGate()
	dir := filepath.Join(t.TempDir(), "cache")
	e := newEngine(t, runtime.Config{InterpretFirst: true, Compiling: g.compiling, CacheDir: dir})
	p := program(t, e, Print("OK", 1))
	twin := program(t, e, Print("KO", 1)) // differs in nothing but its data
	before, err := p.Run(t.Context(), runtime.Guest{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Compiled(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("before it is compiled: %v", err)
	}
	close(g.open)
	for p, want := range map[*runtime.Program]string{p: "OK", twin: "KO"} {
		if err := p.Compiled(t.Context()); err != nil {
			t.Fatal(err)
		}
		after, err := p.Run(t.Context(), runtime.Guest{})
		if err != nil || string(after.Stdout) != want || after.Usage.Instructions != before.Usage.Instructions || *after.Usage.ExitStatus != 1 {
			t.Errorf("compiled: %q, %+v, %v; interpreted: %q, %+v", after.Stdout, after.Usage, err, before.Stdout, before.Usage)
		}
	}
	if g.began["test.wasm"] != 1 || g.ending.Load() != 1 {
		t.Errorf("compiled %d times; want once", g.began["test.wasm"])
	}
	e.Close()
	var count counter
	warm := newEngine(t, runtime.Config{InterpretFirst: true, Compiling: count.compiling, CacheDir: dir})
	if err := program(t, warm, Print("OK", 1)).Compiled(t.Context()); err != nil || len(count.began) > 0 {
		t.Errorf("with the cache: %v, compiled %v", err, count.began)
	}
}

// TestReplacedWhileRunning replaces the code of a program and closes it while others
// run it without end.
func TestReplacedWhileRunning(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	g := newGate()
	e := newEngine(t, runtime.Config{InterpretFirst: true, Compiling: g.compiling})
	p := program(t, e, Print("OK", 0))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				out, err := p.Run(t.Context(), runtime.Guest{})
				if errors.Is(err, runtime.ErrClosed) {
					return
				}
				if err != nil || string(out.Stdout) != "OK" {
					t.Errorf("%q, %v", out.Stdout, err)
					return
				}
			}
		})
	}
	close(g.open)
	if err := p.Compiled(t.Context()); err != nil {
		t.Error(err)
	}
	for range 100 {
		if _, err := p.Run(t.Context(), runtime.Guest{}); err != nil {
			t.Error(err)
		}
	}
	p.Close()
	group.Wait()
}

// TestNotCompiledLater wants a program that takes too long to compile to go on
// interpreted, and to be told of.
func TestNotCompiledLater(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	var log syncLog
	e := newEngine(t, runtime.Config{InterpretFirst: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	p, err := e.Program(t.Context(), "slow", manyFunctions(2000), policy.Limits{CompileTime: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Compiled(t.Context()); err == nil || !strings.Contains(err.Error(), "compile_time") {
		t.Errorf("compiled with %v", err)
	}
	if _, err := p.Run(t.Context(), runtime.Guest{}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"goes on in the interpreter", "program=slow", "compile_time"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log says %q; want %q in it", log.String(), want)
		}
	}
}

// TestSaysThatItWaits wants the error of a run to say that it was interpreted for the
// time being.
func TestSaysThatItWaits(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	g := newGate()
	e := newEngine(t, runtime.Config{InterpretFirst: true, Compiling: g.compiling})
	p := program(t, e, Unreachable())
	_, err := p.Run(t.Context(), runtime.Guest{})
	if !errors.As(err, new(*runtime.Trap)) || !strings.Contains(err.Error(), "not compiled yet") {
		t.Errorf("before: %v", err)
	}
	close(g.open)
	if err := p.Compiled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err = p.Run(t.Context(), runtime.Guest{}); err == nil || strings.Contains(err.Error(), "compiled") {
		t.Errorf("afterwards: %v", err)
	}
}

// TestClosedBeforeCompiled closes programs that wait for their turn, which are not
// compiled then, and an engine with some that are being compiled.
func TestClosedBeforeCompiled(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	g := newGate()
	e := newEngine(t, runtime.Config{InterpretFirst: true, Compiling: g.compiling})
	var programs []*runtime.Program
	for i := range 20 { // more than are compiled at one time
		p, err := e.Program(t.Context(), fmt.Sprint(i), Print("OK", uint32(i)), policy.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	for _, p := range programs[:10] {
		p.Close()
	}
	close(g.open)
	for _, p := range programs[:10] {
		if err := p.Compiled(t.Context()); err != nil && !errors.Is(err, runtime.ErrClosed) {
			t.Error(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if n := len(g.began); n > 14 {
		t.Errorf("%d programs were compiled, of which 10 were closed", n)
	}
}

// TestTooMuchToInterpretFirst wants a program to be compiled before it is ready that
// would take much memory until then, or some while memory is short.
func TestTooMuchToInterpretFirst(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	if raceEnabled {
		t.Skip("reading a large program takes too long with the race detector")
	}
	for functions, pressed := range map[int]bool{140: false, 20: true} {
		var count counter
		e := newEngine(t, runtime.Config{InterpretFirst: true, Compiling: count.compiling, Pressed: func() bool { return pressed }})
		m := Command(nil, nil)
		m.Funcs = append(m.Funcs, slices.Repeat([]Func{{Code: bytes.Repeat(Code(Nop), 30_000)}}, functions)...)
		p := program(t, e, m.Bytes())
		if count.ending.Load() != 1 {
			t.Errorf("%d functions: it was ready before it was compiled", functions)
		}
		if err := p.Compiled(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// manyFunctions is a program that takes long to compile.
func manyFunctions(n int) []byte {
	m := Command(nil, nil)
	for range n {
		m.Funcs = append(m.Funcs, Func{Code: bytes.Repeat(Code(I32Const, 1, MemoryGrow, Raw(0), Drop), 50)})
	}
	return m.Bytes()
}

// A syncLog is a text that several write to.
type syncLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
