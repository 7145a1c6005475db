//go:build unix && !linux

package confine

import (
	"fmt"
	"os"
	"syscall"
)

// execute limits this process and executes a program in it. It returns only if
// that is not possible.
func execute(program string, argv, env []string, limit func() error) error {
	if err := limit(); err != nil {
		return fmt.Errorf("cannot be confined: %w", err)
	}
	return &os.PathError{Op: "executing", Path: program, Err: syscall.Exec(program, argv, env)}
}
