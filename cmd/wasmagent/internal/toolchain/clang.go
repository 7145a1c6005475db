package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// compileC builds the C files of a directory into one reactor.
func compileC(ctx context.Context, s source, out string) error {
	compiler, err := findC(ctx)
	if err != nil {
		return err
	}
	args := slices.Concat(compiler, []string{"-O2", "-s", "-mexec-model=reactor", "-o", out}, s.with(".c"))
	if !slices.ContainsFunc(s.with(".c"), s.exportsC) {
		check := filepath.Join(filepath.Dir(out), "check.c")
		if err := os.WriteFile(check, []byte(checkC), 0o600); err != nil {
			return err
		}
		args = append(args, check)
	}
	_, err = command{dir: s.dir, env: tempIn(filepath.Dir(out)), args: args}.run(ctx)
	return err
}

// checkC makes main the function that a run of a reactor is: it does what the C
// library's _start does in a command.
const checkC = `int __main_void(void);
void __wasm_call_dtors(void);

__attribute__((export_name("check"))) int wasmagent_check(void)
{
	int status = __main_void();
	__wasm_call_dtors();
	return status;
}
`

// exportsC tells whether a file exports a function to the host as check.
func (s source) exportsC(file string) bool {
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	return err == nil && bytes.Contains(text, []byte(`export_name("check")`))
}

// findC returns the first compiler that has all that a WASI program needs, with
// its target: the WASI SDK's clang, clang in PATH, zig.
func findC(ctx context.Context) ([]string, error) {
	var lacking []error
	for _, clang := range clangs() {
		err := clangLacks(ctx, clang)
		if err == nil {
			return []string{clang, "--target=wasm32-wasi"}, nil
		}
		lacking = append(lacking, err)
	}
	if zig, err := exec.LookPath("zig"); err == nil {
		return []string{zig, "cc", "-target", "wasm32-wasi"}, nil
	}
	if len(lacking) > 0 {
		return nil, lacking[0]
	}
	return nil, errors.New("there is no C compiler for WASI; install clang, lld, wasi-libc and libclang-rt-dev-wasm32 (Debian's names), or zig, or the WASI SDK with WASI_SDK_PATH naming its directory")
}

// clangs lists the clangs to try.
func clangs() []string {
	var list []string
	if sdk := os.Getenv("WASI_SDK_PATH"); sdk != "" {
		list = append(list, filepath.Join(sdk, "bin", "clang"))
	}
	return append(list, installed([]string{"clang"})...)
}

// clangLacks says what a clang lacks to build a WASI program, with the package
// that has it.
func clangLacks(ctx context.Context, clang string) error {
	for _, part := range []struct{ query, what, install string }{
		{"-print-prog-name=wasm-ld", "the linker wasm-ld", "lld"},
		{"-print-file-name=crt1-reactor.o", "the C library for WASI", "wasi-libc"},
		{"-print-libgcc-file-name", "the compiler's runtime for WebAssembly", "libclang-rt-dev-wasm32"},
	} {
		found, err := command{args: []string{clang, "--target=wasm32-wasi", part.query}}.run(ctx)
		if err != nil {
			return fmt.Errorf("%s cannot be used: %w", clang, err)
		}
		if !filepath.IsAbs(strings.TrimSpace(found)) || !isFile(strings.TrimSpace(found)) {
			return fmt.Errorf("%s lacks %s; install %s (Debian's name), or the WASI SDK with WASI_SDK_PATH naming its directory", clang, part.what, part.install)
		}
	}
	return nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
