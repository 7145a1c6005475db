package wasmagent_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

const answer = "OK: all is well|time=1s;2;3\n"

// checks is one and the same check in several languages: as a program of the
// sandbox, and as a process.
var checks = []struct {
	name    string
	sandbox func(*testing.B) []byte   // the .wasm file
	process func(*testing.B) []string // the argv
}{
	{
		"smallest",
		func(*testing.B) []byte { return wasmtest.Print(answer, 0) },
		func(*testing.B) []string {
			return []string{"/bin/sh", "-c", "echo '" + strings.TrimSpace(answer) + "'"}
		},
	},
	{
		"c",
		func(b *testing.B) []byte {
			return built(b, nil, "clang", "--target=wasm32-wasi", "-O2", "-s", "testdata/check_ok.c", "-o")
		},
		func(b *testing.B) []string {
			return executable(b, built(b, nil, "cc", "-O2", "-s", "testdata/check_ok.c", "-o"))
		},
	},
	{
		"go",
		func(b *testing.B) []byte { return builtGo(b, "GOOS=wasip1", "GOARCH=wasm") },
		func(b *testing.B) []string { return executable(b, builtGo(b)) },
	},
}

func builtGo(b *testing.B, env ...string) []byte {
	return built(b, append(env, "CGO_ENABLED=0"), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", "{}", "./testdata/check_ok")
}

// built runs a compiler and returns what it wrote to the file that stands for
// "{}", or that is appended.
func built(b *testing.B, env []string, argv ...string) []byte {
	b.Helper()
	out := filepath.Join(b.TempDir(), "out")
	line := strings.Split(strings.ReplaceAll(strings.Join(argv, "\n"), "{}", out), "\n")
	if argv[len(argv)-1] == "-o" {
		line = append(line, out)
	}
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), env...)
	if message, err := cmd.CombinedOutput(); err != nil {
		b.Skipf("%s: %v: %s", line[0], err, message)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func executable(b *testing.B, program []byte) []string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "check")
	if err := os.WriteFile(file, program, 0o700); err != nil {
		b.Fatal(err)
	}
	return []string{file}
}

// newAgent is an agent with everything that modules in the sandbox need.
func newAgent(b *testing.B) *agent.Agent {
	return newAgentWith(b, providers.Config{}, agent.Config{})
}

// newAgentWith is newAgent with what scripts can reach beside their zip.
func newAgentWith(b *testing.B, reach providers.Config, c agent.Config) *agent.Agent {
	b.Helper()
	engine, err := runtime.NewEngine(runtime.Config{CacheDir: filepath.Join(b.TempDir(), "cache")})
	if err != nil {
		b.Fatal(err)
	}
	reach.Engine, reach.UnpackDir = engine, filepath.Join(b.TempDir(), "unpacked")
	c.Providers, err = providers.New(reach)
	if err != nil {
		b.Fatal(err)
	}
	a := agent.New(c)
	b.Cleanup(func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
		if err := engine.Close(); err != nil {
			b.Error(err)
		}
	})
	return a
}

// packed is a zip module with one program, which asks for permissions.
func packed(b *testing.B, name string, wasm []byte, permissions ...string) *zipmod.Module {
	b.Helper()
	manifest, err := json.Marshal(map[string]any{"name": "Benchmark", "scripts": []string{"scripts/*.wasm"}, "permissions": append([]string{}, permissions...)})
	if err != nil {
		b.Fatal(err)
	}
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	files := fstest.MapFS{"module.json": {Data: manifest}, "scripts/" + name + ".wasm": {Data: wasm}}
	if err := errors.Join(w.AddFS(files), w.Close()); err != nil {
		b.Fatal(err)
	}
	m, err := zipmod.Read("module_"+name, archive.Bytes(), zipmod.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkCheck is one check through the dispatcher, and the same as a process.
func BenchmarkCheck(b *testing.B) {
	for _, c := range checks {
		b.Run(c.name+"/sandbox", func(b *testing.B) {
			a := newAgent(b)
			if err := a.Load(b.Context(), packed(b, "check_ok", c.sandbox(b))); err != nil {
				b.Fatal(err)
			}
			measure(b, func(ctx context.Context) error {
				r, err := a.Run(ctx, check.Request{Command: "check_ok"})
				if err == nil && (r.State != check.StateOK || len(r.Perf) != 1) {
					err = fmt.Errorf("%v %s", r.State, r.Text)
				}
				return err
			})
		})
		b.Run(c.name+"/process", func(b *testing.B) {
			argv := c.process(b)
			measure(b, func(ctx context.Context) error {
				out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
				if err == nil && string(out) != answer {
					err = fmt.Errorf("it printed %q", out)
				}
				return err
			})
		})
	}
}

// measure runs one check at a time, and then as many as there are processors.
func measure(b *testing.B, run func(context.Context) error) {
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			if err := run(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := run(b.Context()); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkLoad loads and unloads modules with one small program each, no two
// of them alike, whose compiled code is in the cache on disk.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("modules=%d", n), func(b *testing.B) {
			a := newAgent(b)
			var modules []*zipmod.Module
			for i := range n {
				modules = append(modules, packed(b, fmt.Sprintf("check_%d", i), wasmtest.Print(fmt.Sprintf("OK: %d\n", i), 0)))
			}
			loadAll(b, a, modules)
			for b.Loop() {
				loadAll(b, a, modules)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/module")
		})
	}
}

func loadAll(b *testing.B, a *agent.Agent, modules []*zipmod.Module) {
	b.Helper()
	for _, m := range modules {
		if err := a.Load(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	for _, m := range modules {
		if err := a.Unload(b.Context(), m.Name); err != nil {
			b.Fatal(err)
		}
	}
}
