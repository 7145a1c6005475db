package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// compileWAT assembles the one file of WebAssembly text.
func compileWAT(ctx context.Context, s source, out string) error {
	files := s.with(".wat")
	if len(files) != 1 {
		return fmt.Errorf("it has %s; one .wat file is a program", strings.Join(files, ", "))
	}
	assembler, err := exec.LookPath("wat2wasm")
	if err != nil {
		return errors.New("there is no wat2wasm; install wabt (Debian's name)")
	}
	_, err = command{dir: s.dir, args: []string{assembler, files[0], "-o", out}}.run(ctx)
	return err
}
