package codecache_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/codecache"
)

// TestLinkElsewhere links into a draft on another file system, where no link can be.
func TestLinkElsewhere(t *testing.T) {
	t.Parallel()
	c, _ := open(t)
	publish(t, c, keyA, "machine code")
	dir, err := os.MkdirTemp("/dev/shm", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, dir) })
	other, err := codecache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	d := draft(t, other)
	for range 2 {
		file, err := c.Link(keyA, d)
		if err != nil {
			t.Fatal(err)
		}
		if code, err := os.ReadFile(file); err != nil || string(code[:12]) != "machine code" {
			t.Errorf("copied %q, %v", code, err)
		}
		if list, _ := os.ReadDir(filepath.Dir(file)); len(list) != 1 {
			t.Errorf("beside the copy are %v", list)
		}
	}
}
