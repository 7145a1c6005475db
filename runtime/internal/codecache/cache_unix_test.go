//go:build unix

package codecache_test

import (
	"os"
	"path/filepath"
	"strings"
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

func TestLinkInEntry(t *testing.T) {
	t.Parallel()
	c, dir := open(t)
	publish(t, c, keyA, "machine code")
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, keyA, "code", "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Find(keyA); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a link among the code: %v", err)
	}
}
