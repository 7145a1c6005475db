//go:build unix

package private_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/private"
)

func TestCheckFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode os.FileMode
		want string
	}{
		{0o600, ""},
		{0o644, ""},
		{0o664, ""}, // a clone under a umask of 002
		{0o646, "every user can write it"},
		{0o666, "chmod o-w"},
	} {
		name := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, test.mode); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		wantError(t, private.CheckFile(f), test.want)
	}
}

func TestCheckFileOfDirectory(t *testing.T) {
	t.Parallel()
	f, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wantError(t, private.CheckFile(f), "no regular file")
}

func TestDir(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode os.FileMode
		want string
	}{
		{0o700, ""},
		{0o755, ""},
		{0o775, "chmod 700"},
		{0o777, "another user could change"},
	} {
		name := filepath.Join(t.TempDir(), "parent", "cache")
		wantError(t, private.Dir(name), "")
		if err := os.Chmod(name, test.mode); err != nil {
			t.Fatal(err)
		}
		wantError(t, private.Dir(name), test.want)
	}
}

func TestDirIsNoLink(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "cache")
	if err := os.Symlink(t.TempDir(), name); err != nil {
		t.Fatal(err)
	}
	wantError(t, private.Dir(name), "no directory")
}

func TestCheckOwner(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, private.CheckOwner(name), "")
	if os.Geteuid() != 0 {
		return // only root can give a file away
	}
	if err := os.Chown(name, 12345, -1); err != nil {
		t.Fatal(err)
	}
	wantError(t, private.CheckOwner(name), "belongs to another user")
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
}
