//go:build unix

package private_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/private"
)

func TestDirIsMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "above", "dir")
	if err := private.Dir(dir); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v; want mode 0700", made, info, err)
		}
	}
	if err := private.Dir(filepath.Join(write(t, dir+"/file"), "x")); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("below a file: %v", err)
	}
}

func TestDirRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		make func(t *testing.T, top string) (dir string)
		want string // in the error; empty for no error
	}{
		"private":            {func(t *testing.T, top string) string { return mkdir(t, top+"/c", 0o700) }, ""},
		"readable by others": {func(t *testing.T, top string) string { return mkdir(t, top+"/c", 0o755) }, "chmod 700"},
		"writable by group":  {func(t *testing.T, top string) string { return mkdir(t, top+"/c", 0o720) }, "chmod 700"},
		"passable by others": {func(t *testing.T, top string) string { return mkdir(t, top+"/c", 0o701) }, "chmod 700"},
		"a file":             {func(t *testing.T, top string) string { return write(t, top+"/c") }, "no directory"},
		"a link":             {func(t *testing.T, top string) string { return link(t, mkdir(t, top+"/c", 0o700), top+"/link") }, "symbolic link"},
		"below a link of ours": {func(t *testing.T, top string) string {
			mkdir(t, top+"/real/c", 0o700)
			return filepath.Join(link(t, top+"/real", top+"/link"), "c")
		}, ""},
		"below what all can write": {func(t *testing.T, top string) string {
			dir := mkdir(t, top+"/open/c", 0o700)
			return chmod(t, top+"/open", 0o777, dir)
		}, "above it"},
		"further below what all can write": {func(t *testing.T, top string) string {
			dir := mkdir(t, top+"/open/closed/c", 0o700)
			return chmod(t, top+"/open", 0o777, dir)
		}, "above it"},
		"below what all can write, behind a link": {func(t *testing.T, top string) string {
			mkdir(t, top+"/open/c", 0o700)
			chmod(t, top+"/open", 0o777, "")
			return filepath.Join(link(t, top+"/open", top+"/link"), "c")
		}, "above it"},
		"below a sticky directory": {func(t *testing.T, top string) string {
			dir := mkdir(t, top+"/tmp/c", 0o700)
			return chmod(t, top+"/tmp", 0o777|os.ModeSticky, dir)
		}, ""},
		"below what our own group can write": {func(t *testing.T, top string) string {
			dir := mkdir(t, top+"/ours/c", 0o700)
			if err := os.Chown(top+"/ours", -1, os.Getegid()); err != nil {
				t.Fatal(err)
			}
			return chmod(t, top+"/ours", 0o775, dir)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := private.Dir(row.make(t, t.TempDir()))
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v; want %q in it", err, row.want)
			}
		})
	}
}

// TestDirRefusesOthers needs the right to give files away.
func TestDirRefusesOthers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if err := private.Dir("/"); err == nil || !strings.Contains(err.Error(), "belongs to user 0") {
			t.Errorf("the root's directory: %v", err)
		}
		return
	}
	for name, path := range map[string]string{"its own": "above/c", "the one above": "above"} {
		top := t.TempDir()
		dir := mkdir(t, filepath.Join(top, "above", "c"), 0o700)
		if err := os.Chown(filepath.Join(top, path), 12345, -1); err != nil {
			t.Fatal(err)
		}
		if err := private.Dir(dir); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
			t.Errorf("%s of another user: %v", name, err)
		}
	}
}

func mkdir(t *testing.T, dir string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return chmod(t, dir, mode, dir)
}

// chmod returns what is to be opened.
func chmod(t *testing.T, path string, mode os.FileMode, open string) string {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return open
}

func link(t *testing.T, to, path string) string {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPassable(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	kept := mkdir(t, filepath.Join(top, "kept"), 0o700)
	for _, dir := range []string{filepath.Join(top, "above", "made"), kept} {
		for range 2 {
			if err := private.Passable(dir); err != nil {
				t.Fatal(err)
			}
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
			t.Errorf("%s: %v, %v; want mode 0711", dir, info, err)
		}
		if err := private.Dir(dir); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("as a private one: %v", err)
		}
	}
	if err := private.Passable(chmod(t, kept, 0o755, kept)); err == nil || !strings.Contains(err.Error(), "chmod 711") {
		t.Errorf("one that others can list: %v", err)
	}
}
