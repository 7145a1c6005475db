//go:build unix

package watch_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLinks changes where links lead, as a volume of Kubernetes does: the link in the
// middle is put in the place of another one.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir, volume := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "config.toml")
	for _, version := range []string{"1", "2"} {
		try(t, os.Mkdir(filepath.Join(volume, version), 0o700))
		write(t, filepath.Join(volume, version, "config.toml"), version)
	}
	try(t, os.Symlink("1", filepath.Join(volume, "data")))
	try(t, os.Symlink(filepath.Join(volume, "data", "config.toml"), filepath.Join(volume, "config.toml")))
	try(t, os.Symlink(filepath.Join(volume, "config.toml"), file))
	w := newWatch(t, file)
	write(t, filepath.Join(volume, "1", "config.toml"), "1.1")
	wait(t, w, "what the link leads to")
	w.Set([]string{file, filepath.Join(volume, "config.toml")})
	try(t, os.Symlink("2", filepath.Join(volume, "new")))
	try(t, os.Rename(filepath.Join(volume, "new"), filepath.Join(volume, "data")))
	wait(t, w, "where the link leads")
}
