package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
)

// BenchmarkScript is one and the same check as the agent runs it: in the sandbox,
// and as a native script, which it confines; and as a process that nothing confines.
func BenchmarkScript(b *testing.B) {
	dir := b.TempDir()
	for name, content := range map[string]string{
		"bench/module.json":     `{"name": "Benchmark", "scripts": ["sandboxed.wasm", "native.sh"]}`,
		"bench/sandboxed.wasm":  string(wasmtest.Print("OK: all is well\n", 0)),
		"bench/native.sh":       "echo 'OK: all is well'\n",
		"config/wasmagent.toml": fmt.Sprintf("[modules.bench]\nenabled = true\npath = '%s'\nallow = ['/exec/sh']\n[directories]\ncache = '%s'\n", filepath.Join(dir, "bench"), filepath.Join(dir, "cache")),
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(dir, "config", "wasmagent.toml"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := (&app{stdout: io.Discard, stderr: io.Discard}).wire(b.Context(), c, options{log: slog.LevelError})
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	if err := s.load(b.Context(), "bench"); err != nil {
		b.Fatal(err)
	}
	for _, command := range []string{"sandboxed", "native"} {
		b.Run(command, func(b *testing.B) {
			for b.Loop() {
				if r, err := s.agent.Run(b.Context(), check.Request{Command: command}); err != nil || r.State != check.StateOK {
					b.Fatalf("%v %q, %v", r.State, r.Text, err)
				}
			}
		})
	}
	b.Run("process", func(b *testing.B) {
		for b.Loop() {
			if out, err := exec.Command("sh", filepath.Join(dir, "bench", "native.sh")).Output(); err != nil {
				b.Fatalf("%q, %v", out, err)
			}
		}
	})
}
