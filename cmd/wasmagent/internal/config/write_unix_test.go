//go:build unix

package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

func TestEditKeepsModeAndOwner(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	write(t, name, "")
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	uid := os.Geteuid()
	if uid == 0 { // only root can give a file away
		uid = 12345
		if err := os.Chown(name, uid, 54321); err != nil {
			t.Fatal(err)
		}
	}
	if err := config.Edit(name, config.Enable("web", true)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); info.Mode() != 0o640 || int(stat.Uid) != uid {
		t.Errorf("mode %v, owner %d; want 0640 and %d", info.Mode(), stat.Uid, uid)
	}
}

func TestEditMakesAFileForTheUser(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	if err := config.Edit(name, config.Enable("web", true)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info, err)
	}
}

func TestEditFollowsALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.toml"), filepath.Join(dir, "config.toml")
	write(t, real, "# mine\n")
	if err := os.Symlink("real.toml", link); err != nil {
		t.Fatal(err)
	}
	if err := config.Edit(link, config.Path("web", "web.zip")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	if got, want := read(t, real), "# mine\n\n[modules.web]\npath = \"web.zip\"\n"; got != want {
		t.Errorf("the file holds %q, want %q", got, want)
	}
}

// TestEditWaitsForNobody holds the lock of the directory.
func TestEditWaitsForNobody(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	wantError(t, config.Edit(name, config.Enable("web", true)), "another program is changing files beside it")
}

// TestEditAtOnce edits one file from many goroutines: each is told whether its
// change is in the file.
func TestEditAtOnce(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	write(t, name, "[modules.web]\n")
	var group sync.WaitGroup
	done := make([]bool, 16)
	for i := range done {
		group.Go(func() {
			change := config.Allow("web", grants(fmt.Sprintf("/host/%d", i)))
			for range 100 {
				if done[i] = config.Edit(name, change) == nil; done[i] {
					return
				}
			}
		})
	}
	group.Wait()
	c, err := config.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := c.Module("web")
	for i := range done {
		if got := m.Allow.Match(fmt.Sprintf("/host/%d", i)); got != done[i] {
			t.Errorf("grant %d is in the file: %v; its editor was told %v", i, got, done[i])
		}
	}
	if !slices.Contains(done, true) {
		t.Error("nobody came through")
	}
}
