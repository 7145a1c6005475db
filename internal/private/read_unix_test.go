//go:build unix

package private_test

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/internal/private"
)

// What is no file is refused before anybody is asked about it, and nothing waits
// for a writer of the FIFO.
func TestReadDoesNotWait(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fifo, link(t, fifo, filepath.Join(dir, "link")), "/dev/zero", "/dev/null"} {
		_, err := private.Read(name, 4, func(fs.FileInfo) error {
			t.Errorf("%s: was asked about", name)
			return nil
		})
		if err == nil || err.Error() != name+": is no regular file" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
