package hostfs_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

func TestRename(t *testing.T) {
	t.Parallel()
	before := map[string]string{"x": "x", "y": "y", "d/": "", "d/z": "z", "empty/": "", "full/": "", "full/f": "f"}
	for _, row := range []struct {
		from, to string
		errno    sys.Errno
		gone     []string // beside from
		added    map[string]string
	}{
		{"x", "new", 0, nil, map[string]string{"new": "x"}},
		{"x", "y", 0, nil, map[string]string{"y": "x"}},
		{"x", "d/z", 0, nil, map[string]string{"d/z": "x"}},
		{"d/z", "z", 0, nil, map[string]string{"z": "z"}},
		{"d", "new", 0, []string{"d/", "d/z"}, map[string]string{"new/": "", "new/z": "z"}},
		{"d", "empty", 0, []string{"d/", "d/z"}, map[string]string{"empty/": "", "empty/z": "z"}},
		{"d", "empty/new", 0, []string{"d/", "d/z"}, map[string]string{"empty/new/": "", "empty/new/z": "z"}},
		{"d", "full", sys.ENOTEMPTY, nil, nil},
		{"d", "d/below", sys.EINVAL, nil, nil},
		{"d", "x", sys.ENOTDIR, nil, nil},
		{"x", "d", sys.EISDIR, nil, nil},
		{"x", "empty", sys.EISDIR, nil, nil},
		{"none", "new", sys.ENOENT, nil, nil},
		{"x", "none/new", sys.ENOENT, nil, nil},
		{"x", "y/new", sys.ENOTDIR, nil, nil},
		{".", "new", sys.EPERM, nil, nil},
		{"d", ".", sys.EPERM, nil, nil},
		{"x", "x", 0, nil, map[string]string{"x": "x"}},
		{"d", "d", 0, nil, map[string]string{"d/": ""}},
		{"x", "../x", sys.EINVAL, nil, nil},
		{"x", strings.Repeat("n", hostfs.MaxName+1), sys.ENAMETOOLONG, nil, nil},
	} {
		for _, o := range []hostfs.Options{{Writable: true}, quota(4, 8)} {
			top := plant(t, t.TempDir(), before)
			d := open(t, top, o)
			if errno := d.FS(run()).Rename(row.from, row.to); errno != row.errno {
				t.Errorf("rename %s to %s: %v; want %v", row.from, row.to, errno, row.errno)
			}
			want := maps.Clone(before)
			if row.errno == 0 {
				delete(want, row.from)
			}
			for _, path := range row.gone {
				delete(want, path)
			}
			maps.Copy(want, row.added)
			if got := harvest(t, top); !maps.Equal(got, want) {
				t.Errorf("rename %s to %s left %q; want %q", row.from, row.to, got, want)
			}
			if o.Quota != nil && d.Used() != count(t, top) {
				t.Errorf("rename %s to %s: counted %+v, there is %+v", row.from, row.to, d.Used(), count(t, top))
			}
		}
	}
}

// TestRenameTakesNothingAlong has directories that are moved to where what they hold
// may be used, or from there.
func TestRenameTakesNothingAlong(t *testing.T) {
	t.Parallel()
	for denied, want := range map[string]sys.Errno{
		"none":          0,
		"from/x/secret": sys.EACCES,
		"to/x/secret":   sys.EACCES,
		"from/x":        sys.EACCES,
	} {
		top := plant(t, t.TempDir(), map[string]string{"from/": "", "from/x/": "", "from/x/secret": "secret"})
		r := run()
		r.Allowed = func(path string) bool { return path != denied }
		d := open(t, top, quota(100, 8))
		if errno := d.FS(r).Rename("from", "to"); errno != want {
			t.Errorf("rename beside %s, which is denied: %v; want %v", denied, errno, want)
		}
		at := map[bool]string{true: "to/x/secret", false: "from/x/secret"}[want == 0]
		if got := harvest(t, top)[at]; got != "secret" {
			t.Errorf("%s holds %q after a rename beside %s, which is denied", at, got, denied)
		}
	}
}

// TestRemove has the errnos of what cannot be removed.
func TestRemove(t *testing.T) {
	t.Parallel()
	m := mount(t, plant(t, t.TempDir(), map[string]string{"x": "", "d/y": "", "empty/": ""}), hostfs.Options{Writable: true})
	for _, row := range []struct {
		what  string
		errno sys.Errno
		want  sys.Errno
	}{
		{"unlink a directory", m.Unlink("d"), sys.EISDIR},
		{"unlink nothing", m.Unlink("none"), sys.ENOENT},
		{"unlink below a file", m.Unlink("x/y"), sys.ENOTDIR},
		{"unlink the mount", m.Unlink("."), sys.EISDIR},
		{"rmdir a file", m.Rmdir("x"), sys.ENOTDIR},
		{"rmdir nothing", m.Rmdir("none"), sys.ENOENT},
		{"rmdir a full one", m.Rmdir("d"), sys.ENOTEMPTY},
		{"rmdir the mount", m.Rmdir("."), sys.EPERM},
		{"mkdir over a file", m.Mkdir("x", 0), sys.EEXIST},
		{"mkdir over a directory", m.Mkdir("d", 0), sys.EEXIST},
		{"mkdir over the mount", m.Mkdir(".", 0), sys.EEXIST},
		{"mkdir in nothing", m.Mkdir("none/x", 0), sys.ENOENT},
		{"link", m.Link("x", "l"), sys.EPERM},
		{"symlink", m.Symlink("x", "l"), sys.EPERM},
		{"chmod", m.Chmod("x", 0o4777), sys.EPERM},
		{"unlink", m.Unlink("x"), 0},
		{"rmdir", m.Rmdir("empty"), 0},
	} {
		if row.errno != row.want {
			t.Errorf("%s: %v; want %v", row.what, row.errno, row.want)
		}
	}
}

// TestRemovedWhileOpen has descriptors outlive the names.
func TestRemovedWhileOpen(t *testing.T) {
	t.Parallel()
	m := mount(t, plant(t, t.TempDir(), map[string]string{"x": "old x", "y": "old y", "new": "new"}), quota(100, 10))
	x, y := hold(t, m, "x"), hold(t, m, "y")
	if m.Unlink("x") != 0 || m.Rename("new", "y") != 0 {
		t.Fatal("cannot remove what is open")
	}
	for f, want := range map[sys.File]string{x: "old x!", y: "old y!"} {
		if _, errno := f.Pwrite([]byte("!"), 5); errno != 0 {
			t.Error(errno)
		}
		buf := make([]byte, 10)
		if n, errno := f.Pread(buf, 0); string(buf[:n]) != want || errno != 0 {
			t.Errorf("%q, %v; want %q", buf[:n], errno, want)
		}
	}
	if got, _ := read(m, "y"); got != "new" {
		t.Errorf("y is %q", got)
	}
}

// TestDepth has a tree that cannot get deeper, by directories moved either.
func TestDepth(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	m := mount(t, top, quota(0, 1000))
	deep := strings.TrimSuffix(strings.Repeat("d/", hostfs.MaxDepth), "/")
	for i := range hostfs.MaxDepth {
		if errno := m.Mkdir(deep[:2*i+1], 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	if errno := m.Mkdir(deep+"/d", 0); errno != sys.ENAMETOOLONG {
		t.Errorf("one deeper: %v", errno)
	}
	m.Mkdir("e", 0)
	m.Mkdir("e/e", 0)
	if errno := m.Rename("e", deep[:2*hostfs.MaxDepth-3]+"/e"); errno != sys.ENAMETOOLONG {
		t.Errorf("moved too deep: %v", errno)
	}
	if errno := m.Rename("e", deep[:2*hostfs.MaxDepth-5]+"/e"); errno != 0 {
		t.Errorf("moved as deep as can be: %v", errno)
	}
	open(t, top, quota(0, 1000)) // counts it again
}
