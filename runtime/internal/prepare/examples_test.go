package prepare_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

const examples = "../../../examples/wasm-checks"

// exampleFiles is what the example checks see: their zip, and made-up facts.
func exampleFiles(t testing.TB) fs.FS {
	t.Helper()
	files := fstest.MapFS{
		"host/memory":      {Data: []byte(`{"total_bytes": 8000000000, "used_bytes": 7400000000, "used_ratio": 0.925}`)},
		"host/swap":        {Data: []byte(`{"total_bytes": 1000, "used_bytes": 600, "free_bytes": 400, "used_ratio": 0.6, "devices": []}`)},
		"host/load":        {Data: []byte(`{"load1": 3.5, "load5": 2.25, "load15": 1, "emulated": false, "logical_cores": 2}`)},
		"host/os":          {Data: []byte(`{"name": "linux", "architecture": "amd64"}`)},
		"host/services":    {Data: []byte(`{"manager": "systemd", "services": [{"name": "telnet.service", "state": "running"}]}`)},
		"host/filesystems": {Data: []byte(`{"filesystems": [{"mount_point": "/", "usage": {"total_bytes": 100, "used_bytes": 85, "available_bytes": 15, "used_ratio": 0.85}}]}`)},
	}
	for _, pattern := range []string{"certificates/*.pem", "baseline.toml"} {
		names, err := filepath.Glob(filepath.Join(examples, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[strings.TrimPrefix(filepath.ToSlash(name), examples+"/")] = &fstest.MapFile{Data: data}
		}
	}
	return files
}

// exampleProgram builds a check of the example module. Go is given more flags.
func exampleProgram(t testing.TB, name string, flags ...string) []byte {
	t.Helper()
	source, err := filepath.Abs(filepath.Join(examples, "scripts", name))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "check.wasm")
	tool := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-trimpath", "-ldflags", "-s -w", "-o", out, ".")...)
	switch {
	case exists(filepath.Join(source, "main.c")):
		tool = exec.CommandContext(t.Context(), "clang", "--target=wasm32-wasi", "-O2", "-s", "-o", out, "main.c")
	case exists(filepath.Join(source, "asconfig.json")):
		tool = exec.CommandContext(t.Context(), filepath.Join(source, "node_modules", ".bin", "asc"), "-o", out)
	}
	needs.Program(t, tool.Path)
	tool.Dir = source
	tool.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if message, err := tool.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, message)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// TestSameExamples wants the checks of the example module to answer the same
// rewritten and not, in both engines.
func TestSameExamples(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("compiles large programs")
	}
	files := exampleFiles(t)
	for name, want := range map[string]result{
		"check_memory":       {"MEMORY CRITICAL: 92% of 7.5 GiB in use|", 2, nil},
		"check_filesystems":  {"FILESYSTEMS WARNING: / is 85% full|", 1, nil},
		"check_certificates": {"CERTIFICATES OK: ", 0, nil},
		"check_baseline":     {"BASELINE CRITICAL: telnet runs|", 2, nil},
		"check_load":         {"LOAD WARNING: 3.50 on 2 processors|", 1, nil},
		"check_swap":         {"SWAP WARNING: 60.0% in use|", 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			wasm := exampleProgram(t, name)
			outputs := map[string]bool{}
			for engine, config := range engines {
				rewritten := prepared(t, wasm, policy.Limits{})
				asBuilt := Program{Wasm: wasm, Init: rewritten.Init, Entry: rewritten.Entry}
				for form, p := range map[string]Program{"as built": asBuilt, "rewritten": rewritten} {
					m := newMachine(t, config())
					m.files, m.args = files, nil
					got := m.execute(t, p)
					if !strings.HasPrefix(got.output, want.output) || got.status != want.status || got.err != nil {
						t.Errorf("%s, %s: %q, %d, %v; want %q, %d", form, engine, got.output, got.status, got.err, want.output, want.status)
					}
					outputs[got.output] = true
				}
			}
			if len(outputs) != 1 {
				t.Errorf("%d different outputs: %v", len(outputs), outputs)
			}
		})
	}
}
