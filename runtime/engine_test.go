package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goruntime "runtime"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// needCompiler skips tests of what only compiled programs have.
func needCompiler(t *testing.T) {
	t.Helper()
	if goruntime.GOARCH != "amd64" && goruntime.GOARCH != "arm64" {
		t.Skip("there is no compiler for", goruntime.GOARCH)
	}
}

// counter counts compilations by name.
type counter struct {
	mu     sync.Mutex
	began  map[string]int
	ending atomic.Int64
}

func (c *counter) compiling(name string) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.began == nil {
		c.began = map[string]int{}
	}
	c.began[name]++
	return func() { c.ending.Add(1) }
}

func TestProgramsAreShared(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	var count counter
	e := newEngine(t, runtime.Config{Compiling: count.compiling})
	programs := make([]*runtime.Program, 20)
	var group sync.WaitGroup
	for i := range programs {
		group.Go(func() {
			var err error
			limits := policy.Limits{Time: time.Duration(i+1) * time.Second, Output: policy.Bytes(100 + i)}
			if programs[i], err = e.Program(t.Context(), "one", Print("OK", 0), limits); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if count.began["one"] != 1 || count.ending.Load() != 1 {
		t.Errorf("compiled %d times, ended %d times; want once", count.began["one"], count.ending.Load())
	}
	for i, p := range programs {
		if out, err := p.Run(t.Context(), runtime.Guest{}); err != nil || string(out.Stdout) != "OK" {
			t.Errorf("program %d: %q, %v", i, out.Stdout, err)
		}
		p.Close()
	}
	program(t, e, Print("OK", 0))
	if _, err := e.Program(t.Context(), "two", Print("OK", 0), policy.Limits{Stack: 16 * policy.KiB}); err != nil {
		t.Fatal(err)
	}
	if count.began["test.wasm"] != 1 || count.began["two"] != 1 {
		t.Errorf("compiled %v; want it anew after all were closed, and with another limit", count.began)
	}
}

// TestCodeIsShared has programs that differ in their data and in limits that no code
// depends on: they are compiled once, and each says its own.
func TestCodeIsShared(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	var count counter
	dir := filepath.Join(t.TempDir(), "cache")
	for i, config := range []runtime.Config{{}, {CacheDir: dir}, {CacheDir: dir}} {
		config.Compiling = count.compiling
		e := newEngine(t, config)
		programs := make([]*runtime.Program, 20)
		var group sync.WaitGroup
		for i := range programs {
			group.Go(func() {
				var err error
				limits := policy.Limits{Memory: policy.MiB * policy.Bytes(1+i%2)}
				if programs[i], err = e.Program(t.Context(), "shared", Print(fmt.Sprintf("OK %02d", i), 0), limits); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i, p := range programs {
			if out, err := p.Run(t.Context(), runtime.Guest{}); err != nil || string(out.Stdout) != fmt.Sprintf("OK %02d", i) {
				t.Errorf("program %d: %q, %v", i, out.Stdout, err)
			}
			p.Close()
		}
		if want := min(i+1, 2); count.began["shared"] != want {
			t.Errorf("compiled %d times; want %d: without a cache, and into one", count.began["shared"], want)
		}
	}
}

// TestManyPrograms makes and closes more programs than one wazero runtime is used for,
// while others stay.
func TestManyPrograms(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{Interpret: true})
	var kept []*runtime.Program
	for i := range 600 {
		p := program(t, e, Print("OK", uint32(i)))
		if i%100 == 0 {
			kept = append(kept, p)
		} else {
			p.Close()
		}
	}
	for i, p := range kept {
		out, err := p.Run(t.Context(), runtime.Guest{})
		if err != nil || out.Usage.ExitStatus == nil || *out.Usage.ExitStatus != int64(100*i) {
			t.Errorf("program %d ended with %v, %v", 100*i, out.Usage.ExitStatus, err)
		}
	}
}

func TestProgramRefused(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{CacheDir: filepath.Join(t.TempDir(), "c"), Log: quiet})
	first := newEngine(t, runtime.Config{InterpretFirst: true, Log: quiet})
	for name, row := range map[string]struct {
		wasm []byte
		want string
	}{
		"empty":      {nil, "empty"},
		"text":       {[]byte("#!/bin/sh"), "script"},
		"truncated":  {Print("OK", 0)[:40], ""},
		"component":  {Component(), "component"},
		"reactor":    {NoStart(), "_start"},
		"no import":  {UnknownImport(), "path_rename_all"},
		"own fuel":   {Command(nil, Code(Loop, Void, I64Const, 1<<30, LocalSet, uint32(0), Br, uint32(0), End)).Bytes(), "nothing that is there"},
		"invalid":    {Command(nil, Code(I32Add)).Bytes(), ""},
		"huge table": {Module{Memory: Bound{Min: 1}, Tables: []Bound{{Min: 1 << 20}}, Funcs: []Func{{Export: "_start"}}}.Bytes(), "table_entries"},
		"huge body":  {BigBody(2 << 20), "function"},
	} {
		for _, e := range []*runtime.Engine{e, e, first} { // the second time it is as wrong as the first
			_, err := e.Program(t.Context(), name, row.wasm, policy.Limits{})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: %v; want %q in the error", name, err, row.want)
			}
		}
	}
}

// TestTooMuchToInterpret wants a program to be refused that takes gigabytes when it is
// interpreted.
func TestTooMuchToInterpret(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("reading a large program takes too long with the race detector")
	}
	m := Command(nil, nil)
	m.Funcs = append(m.Funcs, slices.Repeat([]Func{{Code: bytes.Repeat(Code(Nop), 1_000_000)}}, 11)...)
	e := newEngine(t, runtime.Config{})
	if _, err := e.Program(t.Context(), "x", m.Bytes(), policy.Limits{}); err == nil || !strings.Contains(err.Error(), "has 11000012 instructions") {
		t.Errorf("%v; want its instructions in the error", err)
	}
}

func TestProgramGivenUp(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Program(ctx, "x", Print("OK", 0), policy.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up before: %v", err)
	}
}

// TestProgramPassedOn has two ask at once. The one who compiles gives up, and the
// other does it.
func TestProgramPassedOn(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	compiling, going := make(chan context.CancelFunc, 2), make(chan struct{})
	e := newEngine(t, runtime.Config{Compiling: func(string) func() {
		select {
		case cancel := <-compiling:
			cancel()
			<-going
		default:
		}
		return func() {}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	compiling <- cancel
	first := make(chan error, 1)
	go func() {
		_, err := e.Program(ctx, "x", Print("OK", 0), policy.Limits{})
		first <- err
	}()
	<-ctx.Done()
	second := make(chan error, 1)
	go func() {
		p, err := e.Program(t.Context(), "x", Print("OK", 0), policy.Limits{})
		if err == nil {
			_, err = p.Run(t.Context(), runtime.Guest{})
		}
		second <- err
	}()
	close(going)
	<-first
	if err := <-second; err != nil {
		t.Errorf("the second: %v", err)
	}
}

func TestCompileTime(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	e := newEngine(t, runtime.Config{})
	_, err := e.Program(t.Context(), "x", manyFunctions(2000), policy.Limits{CompileTime: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "compile_time") {
		t.Errorf("a compilation that takes long: %v", err)
	}
}

func TestEngineClosesCompilations(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	begun := make(chan struct{})
	e := newEngine(t, runtime.Config{Compiling: func(string) func() {
		close(begun)
		return func() {}
	}})
	failed := make(chan error, 1)
	go func() {
		_, err := e.Program(t.Context(), "x", Print("OK", 0), policy.Limits{})
		failed <- err
	}()
	<-begun
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err != nil && !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("the compilation: %v; want it done or closed", err)
	}
}
