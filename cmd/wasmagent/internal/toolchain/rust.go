package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// compileRust builds a directory whose one program is in main.rs, NAME.rs or its
// only .rs file. One with the standard library becomes a reactor; one without says
// itself what it exports.
func compileRust(ctx context.Context, s source, out string) error {
	main, err := s.rustMain()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.dir, main))
	if err != nil {
		return err
	}
	targets, kind := wasiTargets(), "bin"
	if bytes.Contains(text, []byte("#![no_std]")) {
		targets, kind = []string{"wasm32-unknown-unknown"}, "cdylib" // it declares its WASI imports itself
	}
	r, err := findRust(ctx, targets, "rustc")
	if err != nil {
		return err
	}
	args := []string{r.rustc, "--edition", "2021", "--crate-name", "program", "--crate-type", kind, "--target", r.target, "-O", "-C", "panic=abort", "-C", "strip=symbols", "-o", out, main}
	if kind == "bin" {
		args = append(args, r.reactor(ctx, s.work)...)
	}
	_, err = command{dir: s.dir, env: tempIn(filepath.Dir(out)), args: args}.run(ctx)
	return err
}

func (s source) rustMain() (string, error) {
	files := s.with(".rs")
	for _, name := range []string{"main.rs", s.base() + ".rs"} {
		if slices.Contains(files, name) {
			return name, nil
		}
	}
	if len(files) == 1 {
		return files[0], nil
	}
	return "", fmt.Errorf("which of %s holds the program? call it main.rs", strings.Join(files, ", "))
}

// wasiTargets are the names that WASI preview 1 has had, the new one first.
func wasiTargets() []string { return []string{"wasm32-wasip1", "wasm32-wasi"} }

// A rust is an installation of Rust with a target that it can build for.
type rust struct{ rustc, target string }

// beside is another program of the same installation.
func (r rust) beside(name string) string {
	return filepath.Join(filepath.Dir(r.rustc), name+filepath.Ext(r.rustc))
}

// findRust returns the first installation in PATH that has the standard library
// of one of the targets and the tool that is asked for.
func findRust(ctx context.Context, targets []string, tool string) (rust, error) {
	for _, rustc := range installed([]string{"rustc"}) {
		for _, target := range targets {
			r := rust{rustc, target}
			if isFile(r.beside(tool)) && r.has(ctx) {
				return r, nil
			}
		}
	}
	message := fmt.Sprintf("there is no Rust with the target %s; run: rustup target add %[1]s", targets[0])
	return rust{}, errors.New(message + "; or install rustc, cargo and libstd-rust-dev-wasm32 (Debian's names)")
}

// has tells whether the standard library of the target is installed.
func (r rust) has(ctx context.Context) bool {
	dir, err := r.libraries(ctx)
	if err != nil {
		return false
	}
	libraries, _ := filepath.Glob(filepath.Join(dir, "libcore-*"))
	return len(libraries) > 0
}

// libraries is the directory with the standard library of the target.
func (r rust) libraries(ctx context.Context) (string, error) {
	dir, err := command{args: []string{r.rustc, "--print", "target-libdir", "--target", r.target}}.run(ctx)
	return strings.TrimSpace(dir), err
}

// compileCargo builds the one program of a Cargo package, a reactor.
func compileCargo(ctx context.Context, s source, out string) error {
	r, err := findRust(ctx, wasiTargets(), "cargo")
	if err != nil {
		return err
	}
	target := filepath.Join(s.work, s.base()+".target") // stays, for the next build
	args := []string{r.beside("cargo"), "build", "--release", "--quiet", "--target", r.target, "--target-dir", target, "--message-format", "json-render-diagnostics"}
	if flags := r.reactor(ctx, s.work); flags != nil {
		list, err := json.Marshal(flags) // is also TOML
		if err != nil {
			return err
		}
		args = append(args, "--config", fmt.Sprintf("target.%s.rustflags=%s", r.target, list))
	}
	messages, err := command{dir: s.dir, env: []string{"RUSTC=" + r.rustc}, args: args}.run(ctx)
	if err != nil {
		return err
	}
	program, err := cargoProgram(messages)
	if err != nil {
		return err
	}
	copyFile(program, out)
	return nil
}

// cargoProgram finds the program in what cargo reports, one JSON document a
// line: https://doc.rust-lang.org/cargo/reference/external-tools.html
func cargoProgram(messages string) (string, error) {
	var programs []string
	for line := range strings.Lines(messages) {
		var message struct{ Executable string }
		if json.Unmarshal([]byte(line), &message) == nil && message.Executable != "" {
			programs = append(programs, message.Executable)
		}
	}
	if len(programs) != 1 {
		return "", fmt.Errorf("the Cargo package has %d programs; it must have one", len(programs))
	}
	return programs[0], nil
}
