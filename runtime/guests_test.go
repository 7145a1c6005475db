package runtime_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// update rewrites what the guests of testdata are expected to print.
var update = flag.Bool("update", false, "write what the guests print to testdata")

// built holds the guests that were built, for all tests.
var built struct {
	sync.Mutex
	wasm map[string][]byte
}

// build builds a guest of testdata once: a directory with Go, with options of go
// build, or a file with C for which clang and wasi-libc have to be installed.
func build(t testing.TB, source string, options ...string) []byte {
	t.Helper()
	if raceEnabled {
		t.Skip("compiling a large guest takes too long with the race detector")
	}
	built.Lock()
	defer built.Unlock()
	key := fmt.Sprint(source, options)
	if wasm, found := built.wasm[key]; found {
		return wasm
	}
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", slices.Concat([]string{"build", "-ldflags=-s -w", "-o", out}, options, []string{"./testdata/" + source})...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if strings.HasSuffix(source, ".c") {
		needClang(t)
		cmd = exec.Command("clang", "--target=wasm32-wasi", "-O2", "-o", out, "testdata/"+source)
	}
	if log, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", source, err, log)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if built.wasm == nil {
		built.wasm = map[string][]byte{}
	}
	built.wasm[key] = wasm
	return wasm
}

// needClang skips a test where clang cannot build for WASI.
func needClang(t testing.TB) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "empty.wasm")
	cmd := exec.Command("clang", "--target=wasm32-wasi", "-x", "c", "-o", out, "-")
	cmd.Stdin = strings.NewReader("int main(void) { return 0; }")
	if log, err := cmd.CombinedOutput(); err != nil {
		needs.Missing(t, fmt.Sprintf("clang and wasi-libc are not installed: %v\n%s", err, log))
	}
}

// TestGuests runs programs that use their file system through their language's
// library, in both engines.
func TestGuests(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"files.c", "files"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			wasm := build(t, source)
			golden := filepath.Join("testdata", strings.ReplaceAll(source+".out", ".c.", "_c."))
			for engine, e := range engines(t) {
				guest := runtime.Guest{Args: []string{"check", "-w", "10"}, Input: []byte("hello"), Root: exampleRoot(t), Limits: policy.Limits{Time: time.Minute}}
				out, err := program(t, e, wasm).Run(t.Context(), guest)
				if err != nil || status(out) != "2" || string(out.Stderr) != "done\n" {
					t.Errorf("%s: status %s, %v, stderr %q", engine, status(out), err, out.Stderr)
				}
				if *update {
					if err := os.WriteFile(golden, out.Stdout, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if string(out.Stdout) != strings.ReplaceAll(string(want), "\r\n", "\n") {
					t.Errorf("%s printed:\n%s\nwant:\n%s", engine, out.Stdout, want)
				}
			}
		})
	}
}
