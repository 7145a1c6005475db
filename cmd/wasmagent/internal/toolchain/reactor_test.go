package toolchain_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// forms are programs that do the same, with what builds each as a command.
var forms = map[string][]string{
	"go":             {"go", "build", "-o"},
	"c":              {"clang", "--target=wasm32-wasi", "-O2", "main.c", "-o"},
	"rust":           {"rustc", "-O", "main.rs", "-o"},
	"assemblyscript": {"node_modules/.bin/asc", "command.ts", "--config", "node_modules/@assemblyscript/wasi-shim/asconfig.json", "-o"},
}

// TestReactorsAnswerAsCommands builds each program both ways, from one source, and
// wants them to do the same, run after run.
func TestReactorsAnswerAsCommands(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("compiles large programs")
	}
	engine := newEngine(t)
	for name, compiler := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := source(t, name)
			reactor, command := program(t, engine, build(t, toolchain.Builder{}, dir)), program(t, engine, commandOf(t, dir, compiler))
			if err := reactor.Snapshot(t.Context(), policy.Limits{}); err != nil {
				t.Errorf("its runs do not begin from a snapshot: %v", err)
			}
			for _, row := range []struct{ args, input, want string }{
				{"words", "", "0, stdout 1: \n"},
				{"words a b", "", "0, stdout 1: a|b\n"},
				{"words ä", "", "0, stdout 1: ä\n"},
				{"words " + strings.Repeat("x ", 1000), "", "0, stdout 1: " + strings.Repeat("x|", 999) + "x\n"},
				{"exit 0", "", "0, stdout exits\n"},
				{"exit 1", "", "1, stdout exits\n"},
				{"exit 2", "", "2, stdout exits\n"},
				{"exit 3", "", "3, stdout exits\n"},
				{"input", "", "0, stdout "},
				{"input", "one\ntwo", "0, stdout one\ntwo"},
				{"complain", "", "3, stdout , stderr something is wrong\n"},
				{"open", "", "0, stdout open: true\n"},
				{"give-up", "", "given up, stdout before\n"},
			} {
				for form, p := range map[string]*runtime.Program{"reactor": reactor, "command": command} {
					if got := said(t, p, row.args, row.input); got != row.want {
						t.Errorf("%s as a %s: %.200q; want %.200q", row.args, form, got, row.want)
					}
				}
			}
		})
	}
}

// source lays a module with one of the programs of testdata.
func source(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	x := filepath.Join(dir, "scripts", "x")
	if err := os.CopyFS(x, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	switch name {
	case "go":
		project, err := filepath.Abs(filepath.Join("..", "..", "..", ".."))
		if err != nil {
			t.Fatal(err)
		}
		of, err := os.ReadFile(filepath.Join(project, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		module := fmt.Sprintf("module m\n%[1]s\nrequire %[2]s v0.0.0\n\nreplace %[2]s => %[3]q\n",
			regexp.MustCompile(`\ngo .*\n`).Find(of), "github.com/wasmagent/wasmagent", project)
		if err := os.WriteFile(filepath.Join(x, "go.mod"), []byte(module), 0o600); err != nil {
			t.Fatal(err)
		}
	case "assemblyscript":
		linkPackages(t, x)
	}
	return dir
}

// commandOf builds scripts/x of a module as its language builds a command.
func commandOf(t *testing.T, dir string, compiler []string) []byte {
	t.Helper()
	if compiler[0] == "rustc" {
		compiler = append(rustFor(t), compiler[1:]...)
	}
	out := filepath.Join(t.TempDir(), "x.wasm")
	cmd := exec.CommandContext(t.Context(), compiler[0], append(slices.Clone(compiler[1:]), out)...)
	cmd.Dir, cmd.Env = filepath.Join(dir, "scripts", "x"), append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, message)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !exports(wasm, "_start") {
		t.Error("it is no command")
	}
	return wasm
}

// rustFor is the first rustc in PATH that has a target of WASI, with that.
func rustFor(t *testing.T) []string {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		for _, target := range []string{"wasm32-wasip1", "wasm32-wasi"} {
			rustc := filepath.Join(dir, "rustc")
			out, err := exec.CommandContext(t.Context(), rustc, "--print", "target-libdir", "--target", target).Output()
			if found, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "libcore-*")); err == nil && len(found) > 0 {
				return []string{rustc, "--target", target}
			}
		}
	}
	needs.Missing(t, "there is no Rust for WASI")
	return nil
}

func newEngine(t *testing.T) *runtime.Engine {
	t.Helper()
	engine, err := runtime.NewEngine(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

func program(t *testing.T, engine *runtime.Engine, wasm []byte) *runtime.Program {
	t.Helper()
	p, err := engine.Program(t.Context(), "x.wasm", wasm, policy.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// said is what came of a run. What a program says when it gives up is its
// language's.
func said(t *testing.T, p *runtime.Program, args, input string) string {
	t.Helper()
	root, err := runtime.NewRoot(runtime.RootConfig{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(t.Context(), runtime.Guest{Args: append([]string{"x"}, strings.Fields(args)...), Input: []byte(input), Root: root})
	status := "given up"
	if err == nil && !strings.Contains(string(out.Stderr), "deliberate") {
		status = fmt.Sprint(*out.Usage.ExitStatus)
	}
	text := fmt.Sprintf("%s, stdout %s", status, out.Stdout)
	if status != "given up" && len(out.Stderr) > 0 {
		text += fmt.Sprintf(", stderr %s", out.Stderr)
	}
	return text
}
