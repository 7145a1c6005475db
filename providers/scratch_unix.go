//go:build unix

package providers

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// checkPrivate checks that a directory is one and that nobody but this user can
// reach into it.
func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("is no directory; remove it or choose another one")
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("others can reach into it (mode %#o); run chmod 700 on it", perm)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return errors.New("it belongs to another user; choose another one")
	}
	return nil
}

// lockFile locks an open file until it is closed.
func lockFile(f *os.File, wait bool) error {
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
