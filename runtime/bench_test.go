package runtime_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/runtime"
)

// guests are the programs that the benchmarks run, from the smallest on.
var guests = []struct {
	name string
	wasm func(testing.TB) []byte
}{
	{"smallest", func(testing.TB) []byte { return Print("OK", 0) }},
	{"c", func(t testing.TB) []byte { return build(t, "print.c") }},
	{"go", func(t testing.TB) []byte { return build(t, "print") }},
}

// BenchmarkRun is a run of a program that prints a line, alone and on all
// processors.
func BenchmarkRun(b *testing.B) {
	e := newEngine(b, runtime.Config{})
	root := exampleRoot(b)
	for _, g := range guests {
		b.Run(g.name+"/alone", func(b *testing.B) {
			p := program(b, e, g.wasm(b))
			b.ReportAllocs()
			for b.Loop() {
				once(b, p, root)
			}
		})
		b.Run(g.name+"/parallel", func(b *testing.B) {
			p := program(b, e, g.wasm(b))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					once(b, p, root)
				}
			})
		})
	}
}

func once(b *testing.B, p *runtime.Program, root *runtime.Root) {
	out, err := p.Run(b.Context(), runtime.Guest{Args: []string{"check"}, Root: root})
	if err != nil || string(out.Stdout[:2]) != "OK" {
		b.Fatalf("%q, %v", out.Stdout, err)
	}
}

// BenchmarkProcess is what a run of /bin/sh that prints a line takes, for
// comparison.
func BenchmarkProcess(b *testing.B) {
	for b.Loop() {
		if out, err := exec.Command("/bin/sh", "-c", "echo OK").Output(); err != nil || string(out) != "OK\n" {
			b.Skip(err)
		}
	}
}

// BenchmarkProgram is a start until the first answer of one program, in turn: compiled
// and kept on disk, interpreted until it is compiled, only interpreted, and found compiled.
// It reports medians.
func BenchmarkProgram(b *testing.B) {
	root := exampleRoot(b)
	for _, g := range guests {
		b.Run(g.name, func(b *testing.B) {
			wasm, kept := g.wasm(b), filepath.Join(b.TempDir(), "kept")
			answer := func(config runtime.Config) time.Duration {
				begin := time.Now()
				e := newEngine(b, config)
				p := program(b, e, wasm)
				once(b, p, root)
				took := time.Since(begin)
				e.Close()
				return took
			}
			answer(runtime.Config{CacheDir: kept})
			took := map[string][]time.Duration{}
			for b.Loop() {
				for name, config := range map[string]runtime.Config{
					"compiled":    {CacheDir: filepath.Join(b.TempDir(), "new")},
					"first":       {CacheDir: filepath.Join(b.TempDir(), "newer"), InterpretFirst: true},
					"interpreted": {Interpret: true},
					"found":       {CacheDir: kept, InterpretFirst: true},
				} {
					if config.CacheDir != kept {
						os.RemoveAll(config.CacheDir)
					}
					took[name] = append(took[name], answer(config))
				}
			}
			for name, list := range took {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, name+"-ms")
			}
		})
	}
}

// BenchmarkInterpretedRun is BenchmarkRun where there is no compiler.
func BenchmarkInterpretedRun(b *testing.B) {
	e := newEngine(b, runtime.Config{Interpret: true})
	root := exampleRoot(b)
	for _, g := range guests {
		b.Run(g.name, func(b *testing.B) {
			p := program(b, e, g.wasm(b))
			for b.Loop() {
				once(b, p, root)
			}
		})
	}
}

// BenchmarkInstructions is how fast a program computes, metered.
func BenchmarkInstructions(b *testing.B) {
	p := program(b, newEngine(b, runtime.Config{}), Fibonacci(27))
	var executed uint64
	for b.Loop() {
		out, err := p.Run(b.Context(), runtime.Guest{})
		if err != nil {
			b.Fatal(err)
		}
		executed += out.Usage.Instructions
	}
	b.ReportMetric(float64(executed)/b.Elapsed().Seconds()/1e6, "Minstr/s")
}
