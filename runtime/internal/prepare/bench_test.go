package prepare_test

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmagent/wasmagent/internal/needs"
	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// tightLoop counts down from n in a loop of six instructions.
func tightLoop(n int) []byte {
	m := Command(nil, Code(
		I32Const, n, LocalSet, uint32(0),
		Loop, Void, LocalGet, uint32(0), I32Const, 1, I32Sub, LocalTee, uint32(0), BrIf, uint32(0), End,
	))
	m.Funcs[0].Locals = []Op{I32}
	return m.Bytes()
}

// sieve marks the multiples of every number from 2 to the root of n, twice.
func sieve(n, root int) []byte {
	const prime, multiple, round = uint32(0), uint32(1), uint32(2)
	m := Command(nil, Code(
		I32Const, 2, LocalSet, round,
		Loop, Void,
		I32Const, 2, LocalSet, prime,
		Loop, Void,
		LocalGet, prime, LocalGet, prime, I32Mul, LocalSet, multiple,
		Loop, Void,
		LocalGet, multiple, I32Const, 1, I32Store8, uint32(0), uint32(0),
		LocalGet, multiple, LocalGet, prime, I32Add, LocalTee, multiple, I32Const, n, I32LtU, BrIf, uint32(0),
		End,
		LocalGet, prime, I32Const, 1, I32Add, LocalTee, prime, I32Const, root, I32LtU, BrIf, uint32(0),
		End,
		LocalGet, round, I32Const, 1, I32Sub, LocalTee, round, BrIf, uint32(0),
		End,
	))
	m.Funcs[0].Locals = []Op{I32, I32, I32}
	m.Memory.Min = uint32(n/Page + 1)
	return m.Bytes()
}

// built builds a guest from source with a tool, or skips where it is missing.
func built(t testing.TB, file, source string, env []string, tool string, args ...string) []byte {
	t.Helper()
	path := needs.Program(t, tool)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, append(args, "-o", "guest.wasm", file)...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, out)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "guest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

const goSource = `package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

func deep(n int) int {
	if n == 0 {
		return 0
	}
	return deep(n-1) + 1
}

func main() {
	words := strings.Fields(strings.Repeat("the quick brown fox jumps over the lazy dog ", 50))
	sort.Strings(words)
	count := map[string]int{}
	for _, word := range words {
		count[word]++
	}
	fmt.Println(words[0], count["the"], deep(500), strings.Join(os.Args[1:], " "))
	os.Exit(count["fox"])
}
`

const cSource = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static int primes(int n) {
	char *composite = calloc(n + 1, 1);
	int count = 0;
	for (int i = 2; i <= n; i++) {
		if (composite[i]) continue;
		count++;
		for (long j = (long)i * i; j <= n; j += i) composite[j] = 1;
	}
	free(composite);
	return count;
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int main(int argc, char **argv) {
	int numbers[100];
	for (int i = 0; i < 100; i++) numbers[i] = i * 7919 % 101;
	qsort(numbers, 100, sizeof numbers[0], compare);
	memmove(numbers + 1, numbers, sizeof numbers - sizeof numbers[0]);
	printf("%d %d %d %s %.3f|x=1\n", fib(20), primes(100000), numbers[50], argv[1], 2.0 / 3);
	return 3;
}
`

func goGuest(t testing.TB) []byte {
	return built(t, "main.go", goSource, []string{"GOOS=wasip1", "GOARCH=wasm", "GOFLAGS="}, "go", "build", "-ldflags=-s -w")
}

func cGuest(t testing.TB, options ...string) []byte {
	return built(t, "main.c", cSource, nil, "clang", append([]string{"--target=wasm32-wasi"}, options...)...)
}

// work builds one of the programs in testdata that compute for some milliseconds.
func work(t testing.TB, file string, env []string, tool string, args ...string) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return built(t, file, string(source), env, tool, args...)
}

// BenchmarkMetering compares programs as they were built with what became of them, from
// the call of a run to its end. Both run in turn, so that a busy machine slows both.
func BenchmarkMetering(b *testing.B) {
	example := func(name string) func(testing.TB) []byte {
		return func(t testing.TB) []byte { return exampleProgram(t, name, "-buildmode=c-shared") }
	}
	for _, guest := range []struct {
		name  string
		build func(testing.TB) []byte
	}{
		{"loop", func(testing.TB) []byte { return tightLoop(300_000) }},
		{"fibonacci", func(testing.TB) []byte { return Fibonacci(20) }},
		{"sieve", func(testing.TB) []byte { return sieve(20_000, 150) }},
		{"c", func(t testing.TB) []byte { return cGuest(t, "-O2", "-Wl,--strip-all") }},
		{"work.c", func(t testing.TB) []byte { return work(t, "work.c", nil, "clang", "--target=wasm32-wasi", "-O2", "-s") }},
		{"work.go", func(t testing.TB) []byte {
			return work(t, "work.go", []string{"GOOS=wasip1", "GOARCH=wasm", "GOFLAGS="}, "go", "build", "-ldflags=-s -w")
		}},
		{"check_load", example("check_load")},
		{"check_swap", example("check_swap")},
		{"check_memory", example("check_memory")},
		{"check_filesystems", example("check_filesystems")},
		{"check_certificates", example("check_certificates")},
		{"check_baseline", example("check_baseline")},
	} {
		b.Run(guest.name, func(b *testing.B) { compare(b, guest.build(b)) })
	}
}

// compare runs a program as it was built and rewritten.
func compare(b *testing.B, wasm []byte) {
	rewritten := prepared(b, wasm, policy.Limits{})
	plain := newTimer(b, Program{Wasm: wasm, Init: rewritten.Init, Entry: rewritten.Entry})
	metered := newTimer(b, rewritten)
	for round := 0; b.Loop(); round++ {
		if round%2 == 0 {
			plain.run(b)
			metered.run(b)
		} else {
			metered.run(b)
			plain.run(b)
		}
	}
	var ratios []float64
	for i, d := range plain.times {
		ratios = append(ratios, float64(metered.times[i])/float64(d))
	}
	b.ReportMetric(microseconds(middle(plain.times)), "plain-µs")
	b.ReportMetric(microseconds(middle(metered.times)), "metered-µs")
	b.ReportMetric(float64(middle(metered.times))/float64(middle(plain.times)), "ratio-of-medians")
	b.ReportMetric(middle(ratios), "median-of-ratios")
}

// middle is the median.
func middle[T cmp.Ordered](values []T) T { return slices.Sorted(slices.Values(values))[len(values)/2] }

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// A timer runs one compiled program and keeps the times.
type timer struct {
	machine  *machine
	program  Program
	compiled wazero.CompiledModule
	config   wazero.ModuleConfig
	memory   *arena
	times    []time.Duration
}

func newTimer(b *testing.B, p Program) *timer {
	b.Helper()
	m := newMachine(b, wazero.NewRuntimeConfig())
	m.meter.slice = 1 << 18
	compiled, err := m.CompileModule(b.Context(), p.Wasm)
	if err != nil {
		b.Fatal(err)
	}
	config := wazero.NewModuleConfig().WithName("").WithArgs("guest").WithStartFunctions().
		WithFSConfig(wazero.NewFSConfig().WithFSMount(exampleFiles(b), "/"))
	return &timer{machine: m, program: p, compiled: compiled, config: config, memory: &arena{bytes: make([]byte, 64<<20)}}
}

func (t *timer) run(b *testing.B) {
	ctx := experimental.WithMemoryAllocator(b.Context(), t.memory)
	module, err := t.machine.InstantiateModule(ctx, t.compiled, t.config)
	if err != nil {
		b.Fatal(err)
	}
	for _, part := range t.program.Image {
		module.Memory().Write(uint32(part.Offset), part.Bytes)
	}
	t.machine.meter.stack = t.program.Stack
	for _, name := range t.program.Init {
		if _, err := module.ExportedFunction(name).Call(ctx); err != nil {
			b.Fatal(err)
		}
	}
	begin := time.Now()
	for _, name := range t.program.Entry {
		_, err = module.ExportedFunction(name).Call(ctx)
	}
	t.times = append(t.times, time.Since(begin))
	if err != nil && !errors.As(err, new(*sys.ExitError)) {
		b.Fatal(err)
	}
	_ = module.Close(ctx)
}

// An arena is the memory of one instance after another, so that what its pages cost is
// not part of their times.
type arena struct {
	bytes []byte
	used  uint64
}

func (a *arena) Allocate(uint64, uint64) experimental.LinearMemory { return a }

func (a *arena) Reallocate(size uint64) []byte {
	if size > uint64(len(a.bytes)) {
		return nil
	}
	a.used = max(a.used, size)
	return a.bytes[:size]
}

func (a *arena) Free() {
	clear(a.bytes[:a.used])
	a.used = 0
}

// BenchmarkPrepare rewrites a Go guest.
func BenchmarkPrepare(b *testing.B) {
	wasm := goGuest(b)
	b.SetBytes(int64(len(wasm)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Prepare(wasm, policy.Defaults); err != nil {
			b.Fatal(err)
		}
	}
}
