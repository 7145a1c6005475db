package config

import (
	"fmt"
	"os"
)

// checkFile refuses an open file that every user can write.
func checkFile(f *os.File) error {
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

// checkOwner refuses a file that belongs to neither the agent's user nor root:
// one that was found rather than named may have been laid there.
func checkOwner(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if foreign(info) {
		return fmt.Errorf("%s: belongs to another user; if you trust it, name it with --config %s", name, name)
	}
	return nil
}
