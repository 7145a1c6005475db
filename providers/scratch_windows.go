package providers

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// checkPrivate checks that a directory is one. Who can reach into it is up to
// the access control list that it inherits.
func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("is no directory; remove it or choose another one")
	}
	return nil
}

// lockFile locks an open file until it is closed.
func lockFile(f *os.File, wait bool) error {
	flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK)
	if !wait {
		flags |= windows.LOCKFILE_FAIL_IMMEDIATELY
	}
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
}
