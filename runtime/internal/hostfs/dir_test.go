package hostfs_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"file": "x", "deep/" + strings.Repeat("d/", hostfs.MaxDepth) + "x": ""})
	for _, row := range []struct {
		path string
		o    hostfs.Options
		want string
	}{
		{"missing", hostfs.Options{}, "missing"},
		{"file/below", hostfs.Options{}, "below"},
		{"file", hostfs.Options{Create: true}, "no directory"},
		{"deep", quota(1, 1), "more than 31 directories"},
	} {
		if _, err := hostfs.Open(filepath.Join(top, row.path), row.o); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s with %+v: %v; want %q", row.path, row.o, err, row.want)
		}
	}
	if _, err := hostfs.Open(os.DevNull, hostfs.Options{}); err == nil {
		t.Errorf("%s was opened", os.DevNull)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	top := filepath.Join(t.TempDir(), "state", "web")
	m := mount(t, top, hostfs.Options{Writable: true, Create: true})
	if errno := write(m, "x", "content"); errno != 0 {
		t.Fatal(errno)
	}
	if errno := m.Mkdir("d", 0o777); errno != 0 {
		t.Fatal(errno)
	}
	for path, perm := range map[string]os.FileMode{".": 0o700, "x": 0o600, "d": 0o700} {
		info, err := os.Stat(filepath.Join(top, path))
		must(t, err)
		if unix := os.PathSeparator == '/'; unix && info.Mode().Perm() != perm {
			t.Errorf("%s has mode %v; want %v", path, info.Mode(), perm)
		}
	}
}

// TestOneFile has a mount of one file, beside another one.
func TestOneFile(t *testing.T) {
	t.Parallel()
	before := map[string]string{"log": "line\n", "secret": "no"}
	for _, writable := range []bool{false, true} {
		top := plant(t, t.TempDir(), before)
		m := mount(t, filepath.Join(top, "log"), hostfs.Options{Writable: writable})
		if got, errno := read(m, "."); got != "line\n" || errno != 0 {
			t.Errorf("read: %q, %v", got, errno)
		}
		if st, errno := m.Stat("."); errno != 0 || !st.Mode.IsRegular() || st.Size != 5 {
			t.Errorf("stat: %+v, %v", st, errno)
		}
		if _, errno := m.OpenFile(".", sys.O_DIRECTORY, 0); errno != sys.ENOTDIR {
			t.Errorf("as a directory: %v", errno)
		}
		for _, path := range []string{"secret", "log", "../secret", "log/../secret", "./secret", ""} {
			if got, errno := read(m, path); errno == 0 {
				t.Errorf("%q is %q", path, got)
			}
			if errno := write(m, path, "x"); errno == 0 {
				t.Errorf("%q was written", path)
			}
		}
		for what, errno := range map[string]sys.Errno{
			"unlink": m.Unlink("."), "rmdir": m.Rmdir("."), "mkdir": m.Mkdir(".", 0), "rename": m.Rename(".", "x"), "rename from": m.Rename("secret", "."),
		} {
			if errno == 0 {
				t.Error(what, "did something")
			}
		}
		if got := harvest(t, top); !maps.Equal(got, before) {
			t.Errorf("left %q", got)
		}
		must(t, os.WriteFile(filepath.Join(top, "new"), []byte("rotated"), 0o600))
		must(t, os.Rename(filepath.Join(top, "new"), filepath.Join(top, "log")))
		if got, errno := read(m, "."); got != "rotated" || errno != 0 {
			t.Errorf("after rotation: %q, %v", got, errno)
		}
		if errno := write(m, ".", "written"); (errno == 0) != writable || !writable && errno != sys.EROFS {
			t.Errorf("write to a mount that is writable %v: %v", writable, errno)
		}
	}
}

func TestMountsHaveDevicesOfTheirOwn(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"a/x": "", "b/x": "", "a/d/y": ""})
	device := func(dir, path string) uint64 {
		st, errno := mount(t, filepath.Join(top, dir), hostfs.Options{}).Stat(path)
		if errno != 0 {
			t.Fatal(errno)
		}
		return st.Dev
	}
	if device("a", "x") == device("b", "x") {
		t.Error("two mounts have one device number")
	}
	if device("a", "x") != device("a", "d/y") || device("a", "x") != device("a", ".") {
		t.Error("one mount has two device numbers")
	}
}

func TestClosedDir(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"x": "content"})
	d := open(t, top, hostfs.Options{})
	m := d.FS(run())
	f, _ := m.OpenFile("x", 0, 0)
	must(t, d.Close())
	if _, errno := m.Stat("x"); errno == 0 {
		t.Error("a closed Dir has files")
	}
	if n, errno := f.Read(make([]byte, 10)); n != 7 || errno != 0 {
		t.Errorf("what was open: %d, %v", n, errno)
	}
	f.Close()
}

// TestAliveFirst has every operation ask whether the run goes on.
func TestAliveFirst(t *testing.T) {
	t.Parallel()
	alive := true
	r := hostfs.Run{Allowed: func(string) bool { return true }, Alive: func() {
		if !alive {
			panic("over")
		}
	}}
	top := plant(t, t.TempDir(), map[string]string{"x": "content", "d/y": ""})
	m := open(t, top, hostfs.Options{Writable: true}).FS(r)
	f, d := hold(t, m, "x"), func() sys.File { d, _ := m.OpenFile("d", 0, 0); return d }()
	alive = false
	for name, do := range map[string]func(){
		"open": func() { m.OpenFile("x", 0, 0) }, "stat": func() { m.Stat("x") }, "lstat": func() { m.Lstat("x") },
		"readlink": func() { m.Readlink("x") }, "mkdir": func() { m.Mkdir("z", 0) }, "rmdir": func() { m.Rmdir("d") },
		"unlink": func() { m.Unlink("x") }, "rename": func() { m.Rename("x", "z") }, "utimens": func() { m.Utimens("x", 0, 0) },
		"chmod": func() { m.Chmod("x", 0) }, "link": func() { m.Link("x", "z") }, "symlink": func() { m.Symlink("x", "z") },
		"read": func() { f.Read(make([]byte, 1)) }, "pread": func() { f.Pread(make([]byte, 1), 0) }, "write": func() { f.Write([]byte("x")) },
		"pwrite": func() { f.Pwrite([]byte("x"), 0) }, "truncate": func() { f.Truncate(0) }, "seek": func() { f.Seek(0, 0) },
		"sync": func() { f.Sync() }, "datasync": func() { f.Datasync() }, "fstat": func() { f.Stat() }, "futimens": func() { f.Utimens(0, 0) },
		"append": func() { f.SetAppend(true) }, "readdir": func() { d.Readdir(1) }, "rewind": func() { d.Seek(0, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not ask", name)
				}
			}()
			do()
		}()
	}
	if f.Close() != 0 || d.Close() != 0 {
		t.Error("nothing can be closed after the run")
	}
}

// TestFileQuota bounds the size of a single file.
func TestFileQuota(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"file": "1234"})
	m := open(t, filepath.Join(top, "file"), quota(6, 1)).FS(run())
	f, errno := m.OpenFile(".", sys.O_WRONLY|sys.O_APPEND, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	if n, errno := f.Write([]byte("5678")); n != 2 || errno != 0 {
		t.Errorf("wrote %d bytes, %v; want 2", n, errno)
	}
	if n, errno := f.Write([]byte("78")); n != 0 || errno != hostfs.EDQUOT {
		t.Errorf("wrote %d bytes, %v; want EDQUOT", n, errno)
	}
	if text, _ := os.ReadFile(filepath.Join(top, "file")); string(text) != "123456" {
		t.Errorf("the file holds %q", text)
	}
}
