// Package private tells whether a file or a directory is the agent's own:
// whether anybody else could have written what is read from it.
//
// On Unix that is decided by owner and mode. Elsewhere the package says yes to
// everything: access lists are the installer's to set.
//
// It holds no state and is safe for concurrent use.
package private

import (
	"fmt"
	"os"
)

// CheckFile refuses an open file that every user can write.
func CheckFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: is no regular file", f.Name())
	}
	if writable(info) {
		return fmt.Errorf("%s: every user can write it, and so grant a module anything; run: chmod o-w %s", f.Name(), f.Name())
	}
	return nil
}

// CheckOwner refuses a file that belongs to neither the agent's user nor root:
// one that was found rather than named may have been laid there.
func CheckOwner(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if foreign(info) {
		return fmt.Errorf("%s: belongs to another user; if you trust it, name it with --config %s", name, name)
	}
	return nil
}

// Dir creates a directory that only the agent's user can enter, with its
// parents, or refuses one that another user could change.
func Dir(name string) error {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: is no directory", name)
	}
	if foreign(info) || open(info) {
		return fmt.Errorf("%s: another user could change what is in it; remove it, or run: chmod 700 %s", name, name)
	}
	return nil
}
