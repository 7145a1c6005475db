package confine

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"unsafe"
)

// execute limits this process and executes a program in it. It returns only if
// that is not possible.
//
// The limit of memory may be below what this process has already, so that nothing
// can be allocated once it holds: everything is made before, and the program is
// executed without the standard library's help.
func execute(program string, argv, env []string, limit func() error) error {
	debug.SetGCPercent(-1)
	failed := &os.PathError{Op: "executing", Path: program}
	path, err := syscall.BytePtrFromString(program)
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return err
	}
	vars, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return err
	}
	if err := limit(); err != nil {
		return fmt.Errorf("cannot be confined: %w", err)
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE,
		uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&vars[0])))
	failed.Err = errno
	return failed
}
