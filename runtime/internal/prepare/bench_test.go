package prepare_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

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

// BenchmarkMetering compares programs as they are with what became of them.
func BenchmarkMetering(b *testing.B) {
	for _, guest := range []struct {
		name  string
		build func(testing.TB) []byte
	}{
		{"loop", func(testing.TB) []byte { return tightLoop(3_000_000) }},
		{"fibonacci", func(testing.TB) []byte { return Fibonacci(24) }},
		{"sieve", func(testing.TB) []byte { return sieve(200_000, 400) }},
		{"c", func(t testing.TB) []byte { return cGuest(t, "-O2", "-Wl,--strip-all") }},
		{"go", goGuest},
	} {
		b.Run(guest.name, func(b *testing.B) {
			wasm := guest.build(b)
			plain, metered := newTimer(b, Program{Wasm: wasm}), newTimer(b, prepared(b, wasm, policy.Limits{}))
			for b.Loop() {
				plain.run(b)
				metered.run(b)
			}
			plain.report(b, "plain")
			metered.report(b, "metered")
		})
	}
}

// A timer runs one compiled program and keeps the times.
type timer struct {
	machine  *machine
	compiled wazero.CompiledModule
	image    []Part
	start    []time.Duration // instantiation
	whole    []time.Duration
}

func newTimer(b *testing.B, p Program) *timer {
	b.Helper()
	m := newMachine(b, wazero.NewRuntimeConfig())
	m.meter.slice = 1_000_000
	compiled, err := m.CompileModule(b.Context(), p.Wasm)
	if err != nil {
		b.Fatal(err)
	}
	return &timer{machine: m, compiled: compiled, image: p.Image}
}

func (t *timer) run(b *testing.B) {
	begin := time.Now()
	config := wazero.NewModuleConfig().WithName("").WithArgs("guest", "an argument").WithStartFunctions()
	module, err := t.machine.InstantiateModule(b.Context(), t.compiled, config)
	if err != nil {
		b.Fatal(err)
	}
	for _, part := range t.image {
		module.Memory().Write(uint32(part.Offset), part.Bytes)
	}
	t.start = append(t.start, time.Since(begin))
	_, _ = module.ExportedFunction("_start").Call(b.Context())
	t.whole = append(t.whole, time.Since(begin))
	_ = module.Close(context.Background())
}

func (t *timer) report(b *testing.B, name string) {
	for what, times := range map[string][]time.Duration{"": t.whole, "-start": t.start} {
		slices.Sort(times)
		b.ReportMetric(float64(times[0].Microseconds()), name+what+"-min-µs")
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), name+what+"-median-µs")
	}
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
