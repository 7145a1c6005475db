//go:build unix

package config

import (
	"errors"
	"os"
	"syscall"
)

// lockDir keeps other editors out of a directory until unlock.
func lockDir(name string) (unlock func(), err error) {
	dir, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		dir.Close()
		return nil, err
	}
	return func() { dir.Close() }, nil
}

// likeness gives a new file the mode and the owner of another one.
func likeness(f *os.File, like string) error {
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.ErrUnsupported
	}
	if err := f.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
		return err
	}
	return f.Chmod(info.Mode())
}
