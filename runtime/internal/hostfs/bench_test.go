package hostfs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// BenchmarkRead opens, reads and closes a file of 1 KB, beside package os.
func BenchmarkRead(b *testing.B) {
	kilobyte := strings.Repeat("x", 1024)
	top := plant(b, b.TempDir(), map[string]string{"x": kilobyte, "d/e/x": kilobyte})
	m := mount(b, top, hostfs.Options{})
	buf := make([]byte, 2048)
	for _, path := range []string{"x", "d/e/x"} {
		b.Run("hostfs/"+strings.ReplaceAll(path, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, errno := m.OpenFile(path, sys.O_RDONLY, 0)
				if errno != 0 {
					b.Fatal(errno)
				}
				f.Read(buf)
				f.Close()
			}
		})
		b.Run("os/"+strings.ReplaceAll(path, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := os.Open(filepath.Join(top, path))
				must(b, err)
				f.Read(buf)
				f.Close()
			}
		})
	}
}

// BenchmarkState writes 1 KB to a new file and renames it over the old one, as a
// check does that remembers something, beside package os.
func BenchmarkState(b *testing.B) {
	kilobyte := []byte(strings.Repeat("x", 1024))
	b.Run("hostfs", func(b *testing.B) {
		m := mount(b, b.TempDir(), quota(1<<24, 256))
		b.ReportAllocs()
		for b.Loop() {
			f, errno := m.OpenFile("new", sys.O_WRONLY|sys.O_CREAT|sys.O_TRUNC, 0)
			if errno != 0 {
				b.Fatal(errno)
			}
			f.Write(kilobyte)
			f.Close()
			if errno := m.Rename("new", "state"); errno != 0 {
				b.Fatal(errno)
			}
		}
	})
	b.Run("os", func(b *testing.B) {
		top := b.TempDir()
		b.ReportAllocs()
		for b.Loop() {
			must(b, os.WriteFile(filepath.Join(top, "new"), kilobyte, 0o600))
			must(b, os.Rename(filepath.Join(top, "new"), filepath.Join(top, "state")))
		}
	})
}

// BenchmarkOpen opens and closes a directory under a quota, as the first run of a
// script does that uses it: what is in there is counted.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{0, 16, 256} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			files := map[string]string{}
			for i := range n {
				files[fmt.Sprintf("file%d", i)] = "x"
			}
			top := plant(b, b.TempDir(), files)
			b.ReportAllocs()
			for b.Loop() {
				dir, err := hostfs.Open(top, quota(1<<24, 256))
				must(b, err)
				must(b, dir.Close())
			}
		})
	}
}
