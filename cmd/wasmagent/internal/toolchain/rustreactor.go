package toolchain

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// checkRust makes main the function that a run of a reactor is: it does what the C
// library's _start, with which Rust's programs begin too, does in a command.
const checkRust = `#![no_std]
extern "C" {
    fn __main_void() -> i32;
    fn __wasm_call_dtors();
}
#[no_mangle]
pub unsafe extern "C" fn check() -> i32 {
    let status = __main_void();
    __wasm_call_dtors();
    status
}
`

// reactor returns the options of rustc that make a program with the standard library
// a reactor. They are none for an installation with which that does not work; it
// makes commands.
//
// What they name is kept in a directory, for to Cargo other options are another
// program.
func (r rust) reactor(ctx context.Context, work string) []string {
	libraries, err := r.libraries(ctx)
	if err != nil {
		return nil
	}
	own := filepath.Join(libraries, "self-contained")
	info, err := os.Stat(filepath.Join(own, "crt1-reactor.o"))
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(fmt.Append(nil, checkRust, own, info.ModTime().UnixNano()))
	object := filepath.Join(work, fmt.Sprintf("check-%x.o", sum[:12]))
	if !isFile(object) && r.makeCheck(ctx, own, object) != nil {
		return nil
	}
	return linkedWith(own, object)
}

// linkedWith are the options that have a program begin with what is in object and
// end with the C library of a directory.
func linkedWith(own, object string) []string {
	options := []string{"-C", "link-self-contained=no"} // which would add _start
	for _, arg := range []string{"-L" + own, filepath.Join(own, "crt1-reactor.o"), object, "--entry=_initialize", "--export=check"} {
		options = append(options, "-C", "link-arg="+arg)
	}
	return options
}

// makeCheck compiles checkRust to the file object, which is there only if a program
// can be linked with it.
func (r rust) makeCheck(ctx context.Context, own, object string) error {
	dir, err := os.MkdirTemp(filepath.Dir(object), draft+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	drafted := filepath.Join(dir, "check.o")
	for _, step := range []struct {
		file, text string
		options    []string
	}{
		{"check.rs", checkRust, []string{"--crate-type", "rlib", "--emit", "obj", "-o", drafted}},
		{"main.rs", "fn main() {}\n", append(linkedWith(own, drafted), "-o", filepath.Join(dir, "main.wasm"))},
	} {
		if err := os.WriteFile(filepath.Join(dir, step.file), []byte(step.text), 0o600); err != nil {
			return err
		}
		args := append([]string{r.rustc, "--edition", "2021", "--target", r.target, "-O", "-C", "panic=abort", step.file}, step.options...)
		if _, err := (command{dir: dir, env: tempIn(dir), args: args}).run(ctx); err != nil {
			return err
		}
	}
	return os.Rename(drafted, object)
}
