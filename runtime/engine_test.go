package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
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
	if _, err := e.Program(t.Context(), "two", Print("OK", 0), policy.Limits{Stack: policy.MiB}); err != nil {
		t.Fatal(err)
	}
	if count.began["test.wasm"] != 1 || count.began["two"] != 1 {
		t.Errorf("compiled %v; want it anew after all were closed, and with another limit", count.began)
	}
}

func TestProgramRefused(t *testing.T) {
	t.Parallel()
	e := newEngine(t, runtime.Config{CacheDir: filepath.Join(t.TempDir(), "c"), Log: quiet})
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
		for range 2 { // the second time it is as wrong as the first
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
	m := Command(nil, nil)
	for range 2000 {
		m.Funcs = append(m.Funcs, Func{Code: bytes.Repeat(Code(I32Const, 1, MemoryGrow, Raw(0), Drop), 50)})
	}
	e := newEngine(t, runtime.Config{})
	_, err := e.Program(t.Context(), "x", m.Bytes(), policy.Limits{CompileTime: time.Millisecond})
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

// entry is the one entry of a cache.
func entry(t *testing.T, dir string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, strings.Repeat("[0-9a-f]", 64)))
	if err != nil || len(list) != 1 {
		t.Fatalf("the cache holds %v, %v; want one entry", list, err)
	}
	return list[0]
}

// codeFile is the file of native code in an entry.
func codeFile(t *testing.T, entry string) string {
	t.Helper()
	var file string
	err := filepath.WalkDir(filepath.Join(entry, "code"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			file = path
		}
		return err
	})
	if err != nil || file == "" {
		t.Fatalf("no code in %s: %v", entry, err)
	}
	return file
}

func edit(t *testing.T, file string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, change(data), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCacheDamage damages the cache in every way between two engines. The second
// compiles anew, answers right, and leaves a cache that the third can use.
func TestCacheDamage(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	flip := func(at func(size int) int) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			edit(t, codeFile(t, entry(t, dir)), func(b []byte) []byte { b[at(len(b))] ^= 1; return b })
		}
	}
	for name, row := range map[string]struct {
		damage func(t *testing.T, dir string)
		kept   bool // the cache saves the compilation
	}{
		"nothing":             {func(*testing.T, string) {}, true},
		"a byte of the head":  {flip(func(int) int { return 0 }), false},
		"a function's offset": {flip(func(int) int { return 30 }), false},
		"a byte of the code":  {flip(func(n int) int { return n / 2 }), false},
		"the last byte":       {flip(func(n int) int { return n - 1 }), false},
		"truncated": {func(t *testing.T, dir string) {
			edit(t, codeFile(t, entry(t, dir)), func(b []byte) []byte { return b[:len(b)/2] })
		}, false},
		"emptied": {func(t *testing.T, dir string) {
			edit(t, codeFile(t, entry(t, dir)), func([]byte) []byte { return nil })
		}, false},
		"appended to": {func(t *testing.T, dir string) {
			edit(t, codeFile(t, entry(t, dir)), func(b []byte) []byte { return append(b, 0) })
		}, false},
		"a foreign file": {func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(entry(t, dir), "code", "x"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
		"removed": {func(t *testing.T, dir string) {
			if err := os.RemoveAll(entry(t, dir)); err != nil {
				t.Fatal(err)
			}
		}, false},
		"swapped": {func(t *testing.T, dir string) {
			mine := entry(t, dir)
			other := filepath.Join(t.TempDir(), "other")
			e := newEngine(t, runtime.Config{CacheDir: other})
			program(t, e, Print("CRITICAL", 2)).Close()
			if err := os.RemoveAll(mine); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(entry(t, other), mine); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "cache")
			answer := func(want int) {
				t.Helper()
				var count counter
				e := newEngine(t, runtime.Config{CacheDir: dir, Compiling: count.compiling, Log: quiet})
				out, err := program(t, e, Print("OK", 0)).Run(t.Context(), runtime.Guest{})
				if err != nil || string(out.Stdout) != "OK" {
					t.Errorf("printed %q, %v", out.Stdout, err)
				}
				if got := count.began["test.wasm"]; got != want {
					t.Errorf("compiled %d times; want %d", got, want)
				}
			}
			answer(1)
			row.damage(t, dir)
			if row.kept {
				answer(0)
			} else {
				answer(1)
			}
			answer(0)
		})
	}
}

// TestCacheGone removes the cache's directory while the engine uses it.
func TestCacheGone(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	dir := filepath.Join(t.TempDir(), "cache")
	var log strings.Builder
	e := newEngine(t, runtime.Config{CacheDir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	out, err := program(t, e, Print("OK", 0)).Run(t.Context(), runtime.Guest{})
	if err != nil || string(out.Stdout) != "OK" {
		t.Errorf("printed %q, %v", out.Stdout, err)
	}
	if !strings.Contains(log.String(), "not kept in the cache") {
		t.Errorf("the log says %q", log.String())
	}
}

// TestCacheIsShared has several engines, as processes would, compile the same.
func TestCacheIsShared(t *testing.T) {
	t.Parallel()
	needCompiler(t)
	dir := filepath.Join(t.TempDir(), "cache")
	var group sync.WaitGroup
	for i := range 8 {
		e := newEngine(t, runtime.Config{CacheDir: dir})
		group.Go(func() {
			p, err := e.Program(t.Context(), fmt.Sprint(i), Print("OK", 0), policy.Limits{})
			if err != nil {
				t.Error(err)
				return
			}
			if out, err := p.Run(t.Context(), runtime.Guest{}); err != nil || string(out.Stdout) != "OK" {
				t.Errorf("engine %d: %q, %v", i, out.Stdout, err)
			}
		})
	}
	group.Wait()
	entry(t, dir)
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("the cache holds %v; want one entry", list)
	}
}

func TestNewEngineRefusesDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // its mode is 0777 without the umask's bits
	if goruntime.GOOS == "windows" {
		dir = filepath.Join(dir, "nul\x00")
	}
	if _, err := runtime.NewEngine(runtime.Config{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "cache directory") {
		t.Errorf("a cache that others can read: %v", err)
	}
}
