package hostfs_test

import (
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

const everyFlag = sys.O_RDWR | sys.O_WRONLY | sys.O_APPEND | sys.O_CREAT | sys.O_EXCL | sys.O_TRUNC | sys.O_SYNC | sys.O_DIRECTORY

// TestReadOnlyStaysAsItIs tries all flags.
func TestReadOnlyStaysAsItIs(t *testing.T) {
	t.Parallel()
	before := map[string]string{"x": "content", "d/": "", "d/y": "deep"}
	top := plant(t, t.TempDir(), before)
	m := mount(t, top, hostfs.Options{Quota: &hostfs.Quota{}})
	changes := sys.O_RDWR | sys.O_WRONLY | sys.O_APPEND | sys.O_CREAT | sys.O_EXCL | sys.O_TRUNC
	for _, path := range []string{"x", "d", "d/y", "new", "d/new", ".", "x/below"} {
		for flag := range everyFlag + 1 {
			f, errno := m.OpenFile(path, flag, 0o777)
			if flag&changes != 0 && errno != sys.EROFS {
				t.Fatalf("open %s with %#x: %v; want EROFS", path, flag, errno)
			}
			if errno != 0 {
				continue
			}
			for what, errno := range map[string]sys.Errno{
				"truncate": f.Truncate(1), "utimens": f.Utimens(0, 0),
				"write":  func() sys.Errno { _, errno := f.Write([]byte("x")); return errno }(),
				"pwrite": func() sys.Errno { _, errno := f.Pwrite([]byte("x"), 0); return errno }(),
			} {
				if errno != sys.EROFS && errno != sys.EISDIR {
					t.Errorf("%s of %s: %v; want EROFS", what, path, errno)
				}
			}
			if errno := f.Sync(); errno != 0 {
				t.Errorf("sync of %s: %v", path, errno)
			}
			f.Close()
		}
		for what, errno := range map[string]sys.Errno{
			"mkdir": m.Mkdir(path, 0o700), "rmdir": m.Rmdir(path), "unlink": m.Unlink(path), "rename": m.Rename(path, "z"), "rename to": m.Rename("x", path),
			"utimens": m.Utimens(path, 0, 0), "chmod": m.Chmod(path, 0o777), "link": m.Link("x", path), "symlink": m.Symlink("x", path),
		} {
			if errno != sys.EROFS {
				t.Errorf("%s %s: %v; want EROFS", what, path, errno)
			}
		}
	}
	if got := harvest(t, top); len(got) != 3 || got["x"] != "content" || got["d/y"] != "deep" {
		t.Errorf("left %q", got)
	}
}

// TestOpenFlags has what an open does by its flags.
func TestOpenFlags(t *testing.T) {
	t.Parallel()
	const r, w, rw = sys.O_RDONLY, sys.O_WRONLY, sys.O_RDWR
	for _, row := range []struct {
		path  string
		flag  sys.Oflag
		errno sys.Errno
		left  string // the content afterwards, when "new" was written
	}{
		{"x", r, 0, "content"},
		{"x", w, 0, "newtent"},
		{"x", rw, 0, "newtent"},
		{"x", rw | sys.O_APPEND, 0, "contentnew"},
		{"x", w | sys.O_APPEND | sys.O_CREAT, 0, "contentnew"},
		{"x", w | sys.O_TRUNC, 0, "new"},
		{"x", rw | sys.O_TRUNC | sys.O_CREAT | sys.O_SYNC, 0, "new"},
		{"x", r | sys.O_TRUNC, 0, ""},
		{"x", rw | sys.O_CREAT | sys.O_EXCL, sys.EEXIST, "content"},
		{"x", rw | sys.O_EXCL, 0, "newtent"},
		{"x", r | sys.O_DIRECTORY, sys.ENOTDIR, "content"},
		{"x/below", rw | sys.O_CREAT, sys.ENOTDIR, ""},
		{"new", r, sys.ENOENT, ""},
		{"new", rw | sys.O_TRUNC, sys.ENOENT, ""},
		{"new", rw | sys.O_CREAT, 0, "new"},
		{"new", r | sys.O_CREAT, 0, ""},
		{"new", w | sys.O_CREAT | sys.O_EXCL, 0, "new"},
		{"new", w | sys.O_CREAT | sys.O_DIRECTORY, sys.EINVAL, ""},
		{"d/new", w | sys.O_CREAT, 0, "new"},
		{"no/new", w | sys.O_CREAT, sys.ENOENT, ""},
		{"d", w, sys.EISDIR, ""},
		{"d", rw | sys.O_CREAT, sys.EISDIR, ""},
		{"d", r | sys.O_TRUNC, sys.EISDIR, ""},
		{"d", r | sys.O_CREAT | sys.O_EXCL, sys.EEXIST, ""},
		{".", r | sys.O_CREAT | sys.O_EXCL, sys.EEXIST, ""},
	} {
		m := mount(t, plant(t, t.TempDir(), map[string]string{"x": "content", "d/y": "deep"}), quota(1000, 10))
		f, errno := m.OpenFile(row.path, row.flag, 0o777)
		if errno != row.errno || (f == nil) != (errno != 0) {
			t.Errorf("open %s with %#x: %v, %v; want %v", row.path, row.flag, f, errno, row.errno)
		}
		if errno == 0 {
			if _, errno := f.Write([]byte("new")); (errno == 0) != (row.flag&(w|rw) != 0) || errno != 0 && errno != sys.EBADF {
				t.Errorf("write to %s with %#x: %v", row.path, row.flag, errno)
			}
			if _, errno := f.Pread(make([]byte, 1), 0); (errno == 0) != (row.flag&w == 0) {
				t.Errorf("read %s with %#x: %v", row.path, row.flag, errno)
			}
			f.Close()
		}
		if got, _ := read(m, row.path); got != row.left {
			t.Errorf("open %s with %#x left %q; want %q", row.path, row.flag, got, row.left)
		}
	}
}

func TestSeek(t *testing.T) {
	t.Parallel()
	m := mount(t, plant(t, t.TempDir(), map[string]string{"x": "content of case"}), hostfs.Options{Writable: true})
	f := hold(t, m, "x") // 15 bytes
	for _, row := range []struct {
		offset int64
		whence int
		want   int64
		errno  sys.Errno
		next   string // what is read from there, at most 4 bytes
	}{
		{0, io.SeekCurrent, 0, 0, "cont"},
		{0, io.SeekCurrent, 4, 0, "ent "},
		{-2, io.SeekCurrent, 6, 0, "t of"},
		{11, io.SeekStart, 11, 0, "case"},
		{-4, io.SeekEnd, 11, 0, "case"},
		{-16, io.SeekEnd, 0, sys.EINVAL, ""},
		{-1, io.SeekStart, 0, sys.EINVAL, ""},
		{100, io.SeekEnd, 115, 0, ""},
		{math.MaxInt64 - 16, io.SeekStart, math.MaxInt64 - 16, 0, ""},
		{math.MaxInt64, io.SeekEnd, 0, sys.EINVAL, ""},
		{math.MinInt64, io.SeekEnd, 0, sys.EINVAL, ""},
		{0, 3, 0, sys.EINVAL, ""},
		{12, io.SeekStart, 12, 0, "ase"},
	} {
		got, errno := f.Seek(row.offset, row.whence)
		if got != row.want || errno != row.errno {
			t.Errorf("seek %d, %d: %d, %v; want %d, %v", row.offset, row.whence, got, errno, row.want, row.errno)
		}
		buf := make([]byte, 4)
		if n, _ := f.Read(buf); string(buf[:n]) != row.next {
			t.Errorf("after seek %d, %d: read %q; want %q", row.offset, row.whence, buf[:n], row.next)
		}
	}
	for off, errno := range map[int64]sys.Errno{-1: sys.EINVAL, math.MinInt64: sys.EINVAL, math.MaxInt64: sys.EINVAL} {
		if _, got := f.Pwrite([]byte("x"), off); got != errno {
			t.Errorf("pwrite at %d: %v; want %v", off, got, errno)
		}
		if got := f.Truncate(min(off, -1)); got != errno {
			t.Errorf("truncate to %d: %v; want %v", min(off, -1), got, errno)
		}
	}
	if _, errno := f.Pread(make([]byte, 1), -1); errno != sys.EINVAL {
		t.Errorf("pread at -1: %v", errno)
	}
}

// TestAppend has two descriptors append by turns, one of which forgets to.
func TestAppend(t *testing.T) {
	t.Parallel()
	m := mount(t, t.TempDir(), hostfs.Options{Writable: true})
	a, b := hold(t, m, "x"), hold(t, m, "x")
	if errno := a.SetAppend(true); errno != 0 || !a.IsAppend() || b.IsAppend() {
		t.Fatalf("append: %v, %v, %v", errno, a.IsAppend(), b.IsAppend())
	}
	b.Write([]byte("1234"))
	a.Write([]byte("a1"))
	b.Write([]byte("B"))
	a.Write([]byte("a2"))
	a.Pwrite([]byte("P"), 0)
	a.SetAppend(false)
	a.Write([]byte("end"))
	if got, _ := read(m, "x"); got != "P234B1a2end" {
		t.Errorf("got %q", got)
	}
}

func TestStat(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"x": "content", "d/y": "", "z": "content"})
	m := mount(t, top, hostfs.Options{Writable: true})
	var inodes []uint64
	for path, mode := range map[string]fs.FileMode{"x": 0o644, "z": 0o644, "d/y": 0o644, "d": fs.ModeDir | 0o755, ".": fs.ModeDir | 0o755} {
		st, errno := m.Stat(path)
		if errno != 0 || st.Mode != mode || st.Nlink != 1 || slices.Contains(inodes, st.Ino) || st.Ino == 0 {
			t.Errorf("%s: %+v, %v", path, st, errno)
		}
		inodes = append(inodes, st.Ino)
		if again, errno := m.Lstat(path); errno != 0 || again != st {
			t.Errorf("%s: lstat is %+v, %v; want %+v", path, again, errno, st)
		}
		f, _ := m.OpenFile(path, 0, 0)
		got, errno := f.Stat()
		dev, _ := f.Dev()
		ino, _ := f.Ino()
		dir, _ := f.IsDir()
		got.Atim = st.Atim
		if errno != 0 || got != st || dev != st.Dev || ino != st.Ino || dir != mode.IsDir() {
			t.Errorf("%s: open it is %+v, %v; want %+v", path, got, errno, st)
		}
		f.Close()
		if _, errno := m.Readlink(path); errno != sys.EINVAL {
			t.Errorf("readlink %s: %v", path, errno)
		}
	}
	if _, errno := m.Readlink("none"); errno != sys.ENOENT {
		t.Errorf("readlink of nothing: %v", errno)
	}
	f := hold(t, m, "x")
	f.Truncate(3)
	if st, _ := f.Stat(); st.Size != 3 {
		t.Errorf("the descriptor does not see the new size: %+v", st)
	}
	if st, _ := mount(t, top, hostfs.Options{}).Stat("x"); st.Mode != 0o444 {
		t.Errorf("not writable: %v", st.Mode)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	m := mount(t, plant(t, t.TempDir(), map[string]string{"x": "", "d/y": "", "old": ""}), hostfs.Options{Writable: true})
	const at = int64(1_700_000_000_000_000_000)
	for _, path := range []string{"x", "d"} {
		f, _ := m.OpenFile(path, 0, 0)
		for i, set := range []func(atim, mtim int64) sys.Errno{
			func(a, b int64) sys.Errno { return m.Utimens(path, a, b) }, f.Utimens,
		} {
			first, second := at+int64(i)*int64(time.Hour), at+int64(i+10)*int64(time.Hour)
			if errno := set(first, second); errno != 0 {
				t.Fatal(path, i, errno)
			}
			if errno := set(sys.UTIME_OMIT, second+1000); errno != 0 {
				t.Fatal(path, i, errno)
			}
			if st, _ := m.Stat(path); st.Atim != first || st.Mtim != second+1000 {
				t.Errorf("%s, %d: %+v; want %d, %d", path, i, st, first, second+1000)
			}
		}
		f.Close()
	}
	f := hold(t, m, "old")
	m.Rename("x", "old")
	if errno := f.Utimens(at, at); errno != sys.ENOENT {
		t.Errorf("times of a file that has lost its name: %v", errno)
	}
	if st, _ := m.Stat("old"); st.Mtim == at {
		t.Error("they were set on another")
	}
	if errno := m.Utimens("none", at, at); errno != sys.ENOENT {
		t.Errorf("times of nothing: %v", errno)
	}
}

func TestSync(t *testing.T) {
	t.Parallel()
	m := mount(t, t.TempDir(), hostfs.Options{Writable: true})
	f := hold(t, m, "x")
	f.Write([]byte("x"))
	d, _ := m.OpenFile(".", 0, 0)
	defer d.Close()
	for _, errno := range []sys.Errno{f.Sync(), f.Datasync(), d.Sync(), d.Datasync()} {
		if errno != 0 {
			t.Error(errno)
		}
	}
}

func TestClosedDescriptor(t *testing.T) {
	t.Parallel()
	m := mount(t, t.TempDir(), quota(10, 10))
	f := hold(t, m, "x")
	d, _ := m.OpenFile(".", 0, 0)
	for range 2 {
		if f.Close() != 0 || d.Close() != 0 {
			t.Error("closing is an error")
		}
	}
	_, read := f.Read(make([]byte, 1))
	_, written := f.Write([]byte("x"))
	_, sought := f.Seek(0, 0)
	_, listed := d.Readdir(1)
	_, stat := d.Stat()
	for i, errno := range []sys.Errno{read, written, sought, listed, stat, f.Truncate(0), f.Sync(), f.SetAppend(true), f.Utimens(0, 0)} {
		if errno != sys.EBADF {
			t.Errorf("%d: %v; want EBADF", i, errno)
		}
	}
}

func TestPathsThatCannotBe(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"secret": "outside", "mount/a/x": "inside"})
	for _, o := range []hostfs.Options{{}, {Writable: true}, quota(1000, 100)} {
		m := mount(t, filepath.Join(top, "mount"), o)
		for _, path := range badPaths {
			if got, errno := read(m, path); errno == 0 {
				t.Errorf("read %.40q: %q", path, got)
			}
			if _, errno := m.Stat(path); errno == 0 {
				t.Errorf("stat %.40q", path)
			}
			for what, errno := range map[string]sys.Errno{
				"write": write(m, path, "x"), "mkdir": m.Mkdir(path, 0), "rmdir": m.Rmdir(path), "unlink": m.Unlink(path),
				"rename": m.Rename(path, "new"), "rename to": m.Rename("a/x", path), "utimens": m.Utimens(path, 0, 0),
			} {
				if errno == 0 {
					t.Errorf("%s %.40q did something", what, path)
				}
			}
		}
	}
	if got := harvest(t, top); len(got) != 4 || got["secret"] != "outside" || got["mount/a/x"] != "inside" {
		t.Errorf("left %q", got)
	}
}
