//go:build unix

package journal_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/internal/journal"
)

func TestModes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "log", "events.log")
	add(t, journal.New(journal.Config{Path: file}), document{})
	for name, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %o", name, info, err, want)
		}
	}
}

// A pipe would have the journal wait for a reader if it were opened.
func TestPipe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "events.log")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := journal.New(journal.Config{Path: file}).Add(document{}); err == nil {
		t.Error("a pipe is written to")
	}
}
