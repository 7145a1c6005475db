package toolchain_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/internal/needs"
)

const (
	goProgram   = "package main\n\nfunc main() {}\n"
	goCheck     = "\n//go:wasmexport check\nfunc check() int32 { return 0 }\n"
	cProgram    = "#include <stdio.h>\n#include \"../../shared.h\"\nint main(void) { puts(TEXT); return 0; }\n"
	rustProgram = "fn main() { println!(\"OK\"); }\n"
	bareRust    = "#![no_std]\n#![no_main]\n#[link(wasm_import_module = \"wasi_snapshot_preview1\")]\nextern \"C\" { fn proc_exit(status: u32) -> !; }\n" +
		"#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { unsafe { proc_exit(3) } }\n#[no_mangle]\npub extern \"C\" fn _start() { unsafe { proc_exit(0) } }\n"
	bareCheck  = "#![no_std]\n#![no_main]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n#[no_mangle]\npub extern \"C\" fn check() -> i32 { 0 }\n"
	cCheck     = "__attribute__((export_name(\"check\"))) int run(void) { return 0; }\n"
	watProgram = "(module (memory (export \"memory\") 1) (func (export \"_start\")))\n"
	watCheck   = "(module (memory (export \"memory\") 1) (func (export \"check\") (result i32) (i32.const 0)))\n"
)

// lay writes files into a new directory.
func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A counter counts the builds of a Builder.
type counter struct {
	lock  sync.Mutex
	names []string
}

func (c *counter) building(name string) func() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.names = append(c.names, name)
	return func() {}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, tool string
		files      map[string]string
		caches     bool
		entry      string // the export that is a run
	}{
		{"Go files", "go", map[string]string{"scripts/x/main.go": goProgram, "scripts/x/main_test.go": "package main\n"}, true, "_start"},
		{"Go module", "go", map[string]string{"go.mod": "module m\n", "m.go": "package m\n", "scripts/x/main.go": "package main\n\nimport _ \"m\"\n\nfunc main() {}\n"}, true, "_start"},
		{"Go with check", "go", map[string]string{"scripts/x/main.go": goProgram, "scripts/x/x_wasip1.go": "package main\n" + goCheck}, true, "check"},
		{"Go with check elsewhere", "go", map[string]string{"go.mod": "module m\n", "m.go": "package m\n" + goCheck, "scripts/x/main.go": "package main\n\nimport _ \"m\"\n\nfunc main() {}\n"}, true, "check"},
		{"Go with check for another system", "go", map[string]string{"go.mod": "module m\n", "scripts/x/main.go": goProgram, "scripts/x/x_linux.go": "package main\n" + goCheck}, true, "_start"},
		{"C", "clang", map[string]string{"scripts/x/main.c": cProgram, "shared.h": "#define TEXT \"OK\"\n"}, false, "check"},
		{"C with check", "clang", map[string]string{"scripts/x/main.c": cCheck, "scripts/x/more.c": ""}, false, "check"},
		{"Rust", "rustc", map[string]string{"scripts/x/main.rs": rustProgram}, false, "check"},
		{"Rust by name", "rustc", map[string]string{"scripts/x/x.rs": rustProgram, "scripts/x/y.rs": ""}, false, "check"},
		{"Rust without std", "rustc", map[string]string{"scripts/x/lib.rs": bareRust}, false, "_start"},
		{"Rust without std, with check", "rustc", map[string]string{"scripts/x/lib.rs": bareCheck}, false, "check"},
		{"Cargo", "cargo", map[string]string{"scripts/x/Cargo.toml": "[package]\nname = \"y\"\nversion = \"1.0.0\"\nedition = \"2021\"\n", "scripts/x/src/main.rs": rustProgram}, true, "check"},
		{"text", "wat2wasm", map[string]string{"scripts/x/x.wat": watProgram}, false, "_start"},
		{"text with check", "wat2wasm", map[string]string{"scripts/x/x.wat": watCheck}, false, "check"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			needs.Program(t, test.tool)
			if testing.Short() && test.tool == "go" {
				t.Skip("compiles Go's standard library")
			}
			dir := lay(t, test.files)
			var builds counter
			b := toolchain.Builder{Dir: filepath.Join(t.TempDir(), "build"), Building: builds.building}
			first := build(t, b, dir)
			begins(t, first, test.entry)
			if again := build(t, b, dir); !bytes.Equal(first, again) {
				t.Error("the second build differs from the first")
			}
			if !test.caches && len(builds.names) != 1 {
				t.Errorf("built %d times, want once", len(builds.names))
			}
			if other := build(t, toolchain.Builder{}, dir); !bytes.Equal(first, other) {
				t.Error("a build elsewhere differs")
			}
		})
	}
}

// begins wants a program to be a command or a reactor, by its entry.
func begins(t *testing.T, program []byte, entry string) {
	t.Helper()
	for _, name := range []string{"_start", "check"} {
		if got := exports(program, name); got != (name == entry) {
			t.Errorf("exports %s: %v", name, got)
		}
	}
}

// exports tells whether a program exports something. The name is looked for in the
// section of exports, with its length before it:
// https://webassembly.github.io/spec/core/binary/modules.html#export-section
func exports(program []byte, name string) bool {
	for rest := program[8:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		section := rest[1+n : 1+n+int(size)]
		if rest[0] == 7 {
			return bytes.Contains(section, append([]byte{byte(len(name))}, name...))
		}
		rest = rest[1+n+int(size):]
	}
	return false
}

// build builds scripts/x of a module.
func build(t *testing.T, b toolchain.Builder, dir string) []byte {
	t.Helper()
	programs, err := b.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := programs.Absent["scripts/x.wasm"]; err != nil {
		if strings.Contains(err.Error(), "there is no") || strings.Contains(err.Error(), "lacks") {
			needs.Missing(t, err)
		}
		t.Fatal(err)
	}
	program := programs.Built["scripts/x.wasm"]
	if !bytes.HasPrefix(program, []byte("\x00asm\x01\x00\x00\x00")) {
		t.Fatalf("%.8q is no program", program)
	}
	return program
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	needs.Program(t, "clang")
	dir := lay(t, map[string]string{"scripts/x/main.c": cProgram, "shared.h": "#define TEXT \"OK\"\n", "README.md": "a"})
	var builds counter
	b := toolchain.Builder{Dir: filepath.Join(t.TempDir(), "build"), Building: builds.building}
	build(t, b, dir)
	for _, change := range []struct {
		file, text string
		builds     int
	}{
		{"README.md", "b", 1},
		{"shared.h", "#define TEXT \"fine\"\n", 2},
		{"scripts/x/notes", "", 3},
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(change.file)), []byte(change.text), 0o600); err != nil {
			t.Fatal(err)
		}
		build(t, b, dir)
		if len(builds.names) != change.builds {
			t.Errorf("after %s: %d builds, want %d", change.file, len(builds.names), change.builds)
		}
	}
	if kept, err := filepath.Glob(filepath.Join(b.Dir, "*", "x-*.wasm")); err != nil || len(kept) != 1 {
		t.Errorf("%d programs are kept, want the last one", len(kept))
	}
}

func TestNothingToBuild(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"no scripts":    {"module.json": "{}"},
		"nothing known": {"scripts/x/notes.txt": "", "scripts/x.py": "", "scripts/y/data.json": "{}"},
	} {
		programs, err := toolchain.Builder{}.Build(t.Context(), lay(t, files))
		if err != nil || len(programs.Built) != 0 || len(programs.Absent) != 0 {
			t.Errorf("%s: %+v, %v", name, programs, err)
		}
	}
}

func TestShippedProgram(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{"scripts/x/main.c": "not C", "scripts/x.wasm": "as shipped"})
	programs, err := toolchain.Builder{}.Build(t.Context(), dir)
	if err != nil || len(programs.Absent) != 0 {
		t.Fatal(err, programs.Absent)
	}
	if data, ok := programs.Built["scripts/x.wasm"]; !ok || data != nil {
		t.Errorf("Built = %q; want nil for the program that is there", programs.Built)
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	names, err := toolchain.Sources(lay(t, map[string]string{
		"scripts/b/main.go": "", "scripts/a/main.c": "", "scripts/c/main.c": "", "scripts/c.wasm": "", "scripts/d/notes": "",
	}))
	if want := []string{"scripts/a.wasm", "scripts/b.wasm"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("Sources = %q, %v; want %q", names, err, want)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, tool string
		files      map[string]string
		want       string
	}{
		{"Go", "go", map[string]string{"scripts/x/main.go": "package main\n\nfunc main() { nothing() }\n"}, "undefined: nothing"},
		{"C", "clang", map[string]string{"scripts/x/main.c": "int main(void) { return nothing(); }\n#error deliberate\n"}, "deliberate"},
		{"C is long", "clang", map[string]string{"scripts/x/main.c": strings.Repeat("#warning long\n", 1000) + "#error deliberate\n"}, "more bytes of messages"},
		{"Rust", "rustc", map[string]string{"scripts/x/main.rs": "fn main() { nothing() }"}, "cannot find function"},
		{"two Rust programs", "rustc", map[string]string{"scripts/x/a.rs": "", "scripts/x/b.rs": ""}, "call it main.rs"},
		{"text", "wat2wasm", map[string]string{"scripts/x/x.wat": "(module (nothing))"}, "nothing"},
		{"two texts", "wat2wasm", map[string]string{"scripts/x/x.wat": watProgram, "scripts/x/y.wat": watProgram}, "one .wat file is a program"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			needs.Program(t, test.tool)
			test.files["scripts/good/good.wat"] = watProgram
			programs, err := toolchain.Builder{}.Build(t.Context(), lay(t, test.files))
			if err != nil {
				t.Fatal(err)
			}
			err = programs.Absent["scripts/x.wasm"]
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "there is no") || strings.Contains(err.Error(), "lacks") {
				needs.Missing(t, err)
			}
			if !strings.HasPrefix(err.Error(), "it cannot be built from scripts/x: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q, want one with %q", err, test.want)
			}
			if n := len(err.Error()); n > 10_000 {
				t.Errorf("the error has %d bytes", n)
			}
		})
	}
}

// TestMissing takes every tool away.
func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("WASI_SDK_PATH", "")
	for file, want := range map[string]string{
		"main.go":       "install Go",
		"main.c":        "install clang, lld, wasi-libc",
		"main.rs":       "rustup target add wasm32-wasip1",
		"Cargo.toml":    "rustup target add wasm32-wasip1",
		"asconfig.json": "npm install --prefix",
		"package.json":  "",
		"x.wat":         "install wabt",
	} {
		programs, err := toolchain.Builder{}.Build(t.Context(), lay(t, map[string]string{"scripts/x/" + file: ""}))
		if err != nil {
			t.Fatal(err)
		}
		switch err := programs.Absent["scripts/x.wasm"]; {
		case want == "" && err != nil:
			t.Errorf("%s: %v", file, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error %v, want one with %q", file, err, want)
		}
	}
}

// TestUninstalledPackages tells apart a package that npm has not installed yet.
func TestUninstalledPackages(t *testing.T) {
	t.Parallel()
	programs, err := toolchain.Builder{}.Build(t.Context(), lay(t, map[string]string{"scripts/x/index.ts": "", "scripts/x/package.json": "{}"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := programs.Absent["scripts/x.wasm"]; err == nil || !strings.Contains(err.Error(), "its packages are not installed") {
		t.Errorf("error %v", err)
	}
}

// linkPackages gives a directory what npm has installed for the example module.
func linkPackages(t *testing.T, dir string) {
	t.Helper()
	packages, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "examples", "wasm-checks", "scripts", "check_swap", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(packages); err != nil {
		needs.Missing(t, err)
	}
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Skip(err)
	}
}

// TestAssemblyScript uses the packages that npm has installed for the example
// module.
func TestAssemblyScript(t *testing.T) {
	t.Parallel()
	const program = "process.stdout.write(\"OK\\n\");\n"
	const check = "export function check(): i32 { process.stdout.write(\"OK\\n\"); return 0; }\n"
	config := func(options string) string {
		return `{"extends": "../../node_modules/@assemblyscript/wasi-shim/asconfig.json", "entries": ["index.ts"], "options": {` + options + `}}`
	}
	for name, test := range map[string]struct {
		files map[string]string
		entry string
	}{
		"none":                   {map[string]string{"scripts/x/index.ts": program}, "_start"},
		"check":                  {map[string]string{"scripts/x/index.ts": check}, "check"},
		"own options":            {map[string]string{"scripts/x/index.ts": program, "scripts/x/asconfig.json": config("")}, "_start"},
		"own options, and check": {map[string]string{"scripts/x/index.ts": check, "scripts/x/asconfig.json": config(`"exportStart": "_initialize"`)}, "check"},
		"mistake":                {map[string]string{"scripts/x/index.ts": "nothing();"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := lay(t, test.files)
			linkPackages(t, dir)
			if test.entry != "" {
				begins(t, build(t, toolchain.Builder{}, dir), test.entry)
				return
			}
			programs, err := toolchain.Builder{}.Build(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := programs.Absent["scripts/x.wasm"]; err == nil || !strings.Contains(err.Error(), "Cannot find name 'nothing'") {
				t.Errorf("error %v", err)
			}
		})
	}
}
