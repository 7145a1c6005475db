//go:build unix

package providers_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
)

// tree lists what is in a directory with its modes, the locks left out.
func tree(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	found := make(map[string]fs.FileMode)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir || d.Name() == "lock" {
			return err
		}
		info, err := d.Info()
		if err == nil {
			name, _ := filepath.Rel(dir, path)
			found[name] = info.Mode()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unpackedOnce is a Providers over a directory with one module unpacked, and
// that module.
func unpackedOnce(t *testing.T, dir string) (*providers.Providers, *providers.Loaded) {
	t.Helper()
	p := newProviders(t, func(c *providers.Config) { c.UnpackDir = dir })
	m := readModule(t, manifest{Scripts: []any{"s/a.sh"}}, map[string]string{"s/a.sh": "echo OK; pwd", "data/x": "x"}, nil)
	l, err := p.Load(t.Context(), m, host)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := ask(t, l); err != nil || r.State != check.StateOK || filepath.Base(r.Long) != m.Digest {
		t.Fatalf("got %+v, %v; want it to run in a directory named %s", r, err, m.Digest)
	}
	return p, l
}

func TestModuleIsUnpackedPrivately(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "unpacked")
	_, l := unpackedOnce(t, dir)
	files := 0
	for name, mode := range tree(t, dir) {
		if mode.Perm() != 0o700 {
			t.Errorf("%s: mode %v, want 0700", name, mode)
		}
		if mode.IsRegular() {
			files++
		}
	}
	if files != 3 {
		t.Errorf("%d files are there, want all 3", files)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if left := tree(t, dir); len(left) != 0 {
		t.Errorf("closing left %v", left)
	}
}

func TestModulesWithOneDigestShareADirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "unpacked")
	p, first := unpackedOnce(t, dir)
	before := tree(t, dir)
	m := readModule(t, manifest{Scripts: []any{"s/a.sh"}}, map[string]string{"s/a.sh": "echo OK; pwd", "data/x": "x"}, nil)
	second, err := p.Load(t.Context(), m, host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, second); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != len(before) {
		t.Errorf("unpacked twice: %v", got)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := ask(t, second); err != nil || r.State != check.StateOK {
		t.Errorf("after the other is closed: %+v, %v", r, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, dir); len(left) != 0 {
		t.Errorf("closing both left %v", left)
	}
}

func TestStartRemovesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "unpacked")
	for _, name := range []string{"agent-1/abc/s", "agent-2", "agent-3/abc.part", "mine"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"agent-1/lock", "agent-1/abc/s/a.sh", "agent-4"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	newProviders(t, func(c *providers.Config) { c.UnpackDir = dir })
	left := tree(t, dir)
	if _, ok := left["mine"]; !ok || len(left) != 2 {
		t.Errorf("left %v; want only what no agent made", left)
	}
}

// TestDirectoriesWithoutRightsAreRemoved has scripts take rights away from directories.
// It tests nothing for root, whom rights do not bother.
func TestDirectoriesWithoutRightsAreRemoved(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		"mkdir -p x/y; touch x/y/z; chmod 500 x/y x; echo OK", "mkdir x; chmod 0 x .; echo OK", "chmod 0 ..; echo OK",
	} {
		dir := filepath.Join(t.TempDir(), "unpacked")
		p := newProviders(t, func(c *providers.Config) { c.UnpackDir = dir })
		l, err := p.Load(t.Context(), one(t, "a.sh", script), host)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := ask(t, l); err != nil || r.State != check.StateOK {
			t.Errorf("%s: %+v, %v", script, r, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		newProviders(t, func(c *providers.Config) { c.UnpackDir = dir })
		if left := tree(t, dir); len(left) != 0 {
			t.Errorf("%s: left %v", script, left)
		}
	}
}

func TestStartLeavesALivingAgentAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "unpacked")
	_, first := unpackedOnce(t, dir)
	before := tree(t, dir)
	_, second := unpackedOnce(t, dir)
	if got := tree(t, dir); len(got) != 2*len(before) {
		t.Errorf("two agents have %v", got)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := ask(t, first); err != nil || r.State != check.StateOK {
		t.Errorf("the first agent: %+v, %v", r, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUnpackDirectoryHasToBePrivate(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	open, file, link := filepath.Join(base, "open"), filepath.Join(base, "file"), filepath.Join(base, "link")
	for _, err := range []error{
		os.Mkdir(open, 0o700), os.Chmod(open, 0o750), os.WriteFile(file, nil, 0o600), os.Symlink(t.TempDir(), link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{open: "chmod 700", file: "no directory", link: "no directory"} {
		_, err := providers.New(providers.Config{UnpackDir: dir})
		wantText(t, err, dir, want)
	}
}

func TestWithoutADirectoryToUnpackInto(t *testing.T) {
	t.Parallel()
	p := newProviders(t, func(c *providers.Config) { c.UnpackDir = "" })
	_, err := ask(t, loadAll(t, p, one(t, "a.sh", "echo OK"), host))
	wantText(t, err, "no directory to unpack modules into")
}

// What cannot be unpacked now can be later: the error is not kept.
func TestUnpackingIsTriedAgain(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dir := filepath.Join(base, "a", "unpacked")
	p := newProviders(t, func(c *providers.Config) { c.UnpackDir = dir })
	l := loadAll(t, p, one(t, "a.sh", "echo OK"), host)
	if err := os.WriteFile(filepath.Join(base, "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, l); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("got %v, want that a file is in the way", err)
	}
	if err := os.Remove(filepath.Join(base, "a")); err != nil {
		t.Fatal(err)
	}
	if r, err := ask(t, l); err != nil || r.State != check.StateOK {
		t.Errorf("got %+v, %v", r, err)
	}
}
