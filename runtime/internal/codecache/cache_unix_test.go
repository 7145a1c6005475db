//go:build unix

package codecache_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/codecache"
)

func TestOpenCreatesPrivateDirectory(t *testing.T) {
	t.Parallel()
	_, dir := open(t)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v; want mode 0700", info.Mode(), err)
	}
}

func TestOpenRefusesWhatOthersCanAccess(t *testing.T) {
	t.Parallel()
	_, dir := open(t)
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := codecache.Open(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("error %v; want one with the directory and chmod 700", err)
	}
}

// TestOddFiles puts into the place of an entry what cannot be read at all, or only
// for hours.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(entry string) error{
		"a pipe":        func(e string) error { return errors.Join(os.Remove(e), syscall.Mkfifo(e, 0o600)) },
		"without end":   func(e string) error { return os.Truncate(e, 1<<40) },
		"a link to one": func(e string) error { return errors.Join(os.Rename(e, e+"x"), os.Symlink(e+"x", e)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir := open(t)
			publish(t, c, keyA, "machine code")
			if err := damage(filepath.Join(dir, keyA)); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(keyA); err == nil || !strings.Contains(err.Error(), "is no entry") {
				t.Errorf("%v; want that it is no entry", err)
			}
			if _, err := c.Read(keyA); err != fs.ErrNotExist {
				t.Errorf("the second time: %v; want it gone", err)
			}
		})
	}
}
