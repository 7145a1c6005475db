package toolchain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// shown are the programs of docs/abi.md: the language that each is marked with, and
// the files of its blocks, in order.
var shown = []struct {
	language, tool string
	files          []string
}{
	{"wat", "wat2wasm", []string{"x.wat"}},
	{"c", "clang", []string{"main.c", "check.c"}},
	{"go", "go", []string{"main.go", "reactor_wasip1.go"}},
	{"rust", "rustc", []string{"main.rs"}},
	{"ts", "node", []string{"index.ts", "check.ts"}},
}

// TestABI builds and runs the programs of docs/abi.md: as they are printed, and what
// the first file of each is without what pack adds by itself.
func TestABI(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("compiles large programs")
	}
	engine := newEngine(t)
	for _, s := range shown {
		t.Run(s.language, func(t *testing.T) {
			t.Parallel()
			needs.Program(t, s.tool)
			files := map[string]string{}
			for i, text := range blocks(t, s.language, len(s.files)) {
				files["scripts/x/"+s.files[i]] = text
			}
			if s.language == "ts" {
				files["scripts/x/asconfig.json"] = `{"extends": "./node_modules/@assemblyscript/wasi-shim/asconfig.json", "entries": ["./check.ts"], "options": {"exportStart": "_initialize"}}`
			}
			wants(t, engine, lay(t, files))
			if s.language == "c" {
				delete(files, "scripts/x/check.c")
				wants(t, engine, lay(t, files))
			}
		})
	}
}

// wants builds the program in a directory, and wants it to end with its first
// argument, in a run that begins from a snapshot.
func wants(t *testing.T, engine *runtime.Engine, dir string) {
	t.Helper()
	x := filepath.Join(dir, "scripts", "x")
	if _, err := os.Stat(filepath.Join(x, "asconfig.json")); err == nil {
		linkPackages(t, x)
	}
	p := program(t, engine, build(t, toolchain.Builder{}, dir))
	if err := p.Snapshot(t.Context(), policy.Limits{}); err != nil {
		t.Errorf("its runs do not begin from a snapshot: %v", err)
	}
	for status := range 4 {
		if got, want := said(t, p, fmt.Sprint(status), ""), fmt.Sprintf("%d, stdout status is %[1]d\n", status); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

// blocks are the blocks of docs/abi.md that are marked with a language.
func blocks(t *testing.T, language string, count int) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "abi.md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)```").FindAllStringSubmatch(strings.ReplaceAll(string(text), "\r\n", "\n"), -1) {
		found = append(found, m[1])
	}
	if len(found) != count {
		t.Fatalf("docs/abi.md has %d blocks of %s, want %d", len(found), language, count)
	}
	return found
}

// TestABIShowsTheTemplates wants the files that docs/abi.md shows to be those that
// wasmagent new writes and that the tests use.
func TestABIShowsTheTemplates(t *testing.T) {
	t.Parallel()
	const templates = "../scaffold/templates/"
	for file, language := range map[string]string{
		templates + "go/scripts/check_memory/reactor_wasip1.go":        "go",
		templates + "assemblyscript/scripts/check_memory/check.ts":     "ts",
		"testdata/assemblyscript/check.ts":                             "ts",
		"../../../../examples/wasm-checks/scripts/check_swap/check.ts": "ts",
	} {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ReplaceAll(string(text), "\r\n", "\n") != blocks(t, language, 2)[1] {
			t.Errorf("%s is not what docs/abi.md shows", file)
		}
	}
}
