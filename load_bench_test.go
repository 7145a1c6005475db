package wasmagent_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// many are modules with one small program each, no two with the same code. The first
// one's is OK.
func many(b *testing.B, n int) (modules []*zipmod.Module) {
	for i := range n {
		modules = append(modules, packed(b, fmt.Sprintf("check_%d", i), wasmtest.Print("OK: all is well|time=1s;2;3\n", uint32(i))))
	}
	return modules
}

// A loader is an agent with an engine of its own.
type loader struct {
	agent  *agent.Agent
	engine *runtime.Engine
}

func newLoader(b *testing.B, config runtime.Config) loader {
	b.Helper()
	engine, err := runtime.NewEngine(config)
	if err != nil {
		b.Fatal(err)
	}
	scripts, err := providers.New(providers.Config{Engine: engine})
	if err != nil {
		b.Fatal(err)
	}
	return loader{agent.New(agent.Config{Providers: scripts}), engine}
}

func (l loader) load(b *testing.B, modules []*zipmod.Module) {
	b.Helper()
	if err := errors.Join(l.agent.LoadEach(b.Context(), nil, modules)...); err != nil {
		b.Fatal(err)
	}
}

func (l loader) close(b *testing.B) {
	b.Helper()
	if err := errors.Join(l.agent.Close(), l.engine.Close()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStart is a start until the first answer, in turn: with the compiled code on
// disk, without it and interpreted until it is there, and without it and compiled first.
// It reports medians.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("modules=%d", n), func(b *testing.B) {
			modules, kept := many(b, n), filepath.Join(b.TempDir(), "kept")
			answer := func(config runtime.Config) time.Duration {
				begin := time.Now()
				l := newLoader(b, config)
				l.load(b, modules)
				if r, err := l.agent.Run(b.Context(), check.Request{Command: "check_0"}); err != nil || r.State != check.StateOK {
					b.Fatal(r, err)
				}
				took := time.Since(begin)
				l.close(b)
				return took
			}
			answer(runtime.Config{CacheDir: kept})
			took := map[string][]time.Duration{}
			for b.Loop() {
				fresh := filepath.Join(b.TempDir(), "new")
				for name, config := range map[string]runtime.Config{
					"warm":     {CacheDir: kept, InterpretFirst: true},
					"cold":     {CacheDir: fresh, InterpretFirst: true},
					"compiled": {CacheDir: fresh + "er"},
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

// BenchmarkLoaded is what a loaded program takes of the process's memory, and what of it
// remains when it is unloaded.
func BenchmarkLoaded(b *testing.B) {
	resident := func() int64 {
		debug.FreeOSMemory()
		debug.FreeOSMemory() // for what was freed by finalizers
		var pages, resident int64
		text, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			b.Skip(err)
		}
		if _, err := fmt.Sscan(string(text), &pages, &resident); err != nil {
			b.Fatal(err)
		}
		return resident * int64(os.Getpagesize())
	}
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("modules=%d", n), func(b *testing.B) {
			modules := many(b, n)
			for b.Loop() {
				l := newLoader(b, runtime.Config{})
				before := resident()
				l.load(b, modules)
				loaded := resident()
				for _, m := range modules {
					if err := l.agent.Unload(b.Context(), m.Name); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(loaded-before)/float64(n)/1024, "KiB/program")
				b.ReportMetric(float64(resident()-before)/float64(n)/1024, "KiB/unloaded")
				l.close(b)
			}
		})
	}
}
