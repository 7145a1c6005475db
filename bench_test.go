package wasmagent_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

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
