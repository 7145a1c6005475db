//go:build unix

package audit_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/audit"
)

func TestModes(t *testing.T) {
	t.Parallel()
	l, file := newLog(t)
	l.Write(audit.Line{Event: audit.Granted})
	for name, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %o", name, info, err, want)
		}
	}
}

// TestPipe would wait for a reader if the pipe were opened.
func TestPipe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "audit.log")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	audit.New(audit.Config{File: file}).Write(audit.Line{Event: audit.Granted})
}
