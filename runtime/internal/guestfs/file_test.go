package guestfs_test

import (
	"io"
	"io/fs"
	"math"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func open(t *testing.T, path string) sys.File {
	t.Helper()
	f, errno := mount(t).OpenFile(path, sys.O_RDONLY, 0)
	if errno != 0 {
		t.Fatalf("open %s: %v", path, errno)
	}
	return f
}

func TestSeek(t *testing.T) {
	t.Parallel()
	f := open(t, "case") // "content of case", 15 bytes
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
		{-15, io.SeekEnd, 0, 0, "cont"},
		{-16, io.SeekEnd, 0, sys.EINVAL, "ent "},
		{-1, io.SeekStart, 0, sys.EINVAL, "of c"},
		{-100, io.SeekCurrent, 0, sys.EINVAL, "ase"},
		{100, io.SeekEnd, 115, 0, ""},
		{math.MaxInt64, io.SeekStart, math.MaxInt64, 0, ""},
		{1, io.SeekCurrent, 0, sys.EINVAL, ""},
		{math.MaxInt64, io.SeekEnd, 0, sys.EINVAL, ""},
		{math.MinInt64, io.SeekEnd, 0, sys.EINVAL, ""},
		{0, 3, 0, sys.EINVAL, ""},
		{0, -1, 0, sys.EINVAL, ""},
		{12, io.SeekStart, 12, 0, "ase"},
	} {
		got, errno := f.Seek(row.offset, row.whence)
		if got != row.want || errno != row.errno {
			t.Errorf("seek %d, %d: %d, %v; want %d, %v", row.offset, row.whence, got, errno, row.want, row.errno)
		}
		buf := make([]byte, 4)
		if n, errno := f.Read(buf); string(buf[:n]) != row.next || errno != 0 {
			t.Errorf("after seek %d, %d: read %q, %v; want %q", row.offset, row.whence, buf[:n], errno, row.next)
		}
	}
}

func TestPread(t *testing.T) {
	t.Parallel()
	f := open(t, "case")
	for _, row := range []struct {
		offset int64
		want   string
		errno  sys.Errno
	}{
		{0, "cont", 0}, {13, "se", 0}, {15, "", 0}, {math.MaxInt64, "", 0}, {-1, "", sys.EINVAL},
	} {
		buf := make([]byte, 4)
		if n, errno := f.Pread(buf, row.offset); string(buf[:n]) != row.want || errno != row.errno {
			t.Errorf("pread at %d: %q, %v; want %q, %v", row.offset, buf[:n], errno, row.want, row.errno)
		}
	}
	if at, _ := f.Seek(0, io.SeekCurrent); at != 0 {
		t.Errorf("pread moved the offset to %d", at)
	}
}

func TestReaddir(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"/":               {"Case", "case", "host/", "module.json", "scripts/"},
		"scripts":         {"a.wasm", "b.sh", "deep/"},
		"scripts/deep/er": {"x"},
		"host":            {"cpu", "memory"},
	} {
		m := mount(t)
		d, _ := m.OpenFile(path, sys.O_DIRECTORY, 0)
		for _, n := range []int{1, 2, 3, 100, 0, -1} {
			if errno := rewind(d); errno != 0 {
				t.Fatal(errno)
			}
			var names []string
			for {
				list, errno := d.Readdir(n)
				if errno != 0 || n > 0 && len(list) > n {
					t.Fatalf("%s: %d entries of %d, %v", path, len(list), n, errno)
				}
				for _, e := range list {
					st, errno := m.Stat(path + "/" + e.Name)
					if errno != 0 || st.Ino != e.Ino || st.Mode.Type() != e.Type {
						t.Errorf("%s lists %+v, stat says %+v, %v", path, e, st, errno)
					}
					if e.Type == fs.ModeDir {
						e.Name += "/"
					}
					names = append(names, e.Name)
				}
				if len(list) == 0 {
					break
				}
			}
			if !slices.Equal(names, want) {
				t.Errorf("%s by %d: %q; want %q", path, n, names, want)
			}
		}
	}
}

func rewind(d sys.File) sys.Errno {
	_, errno := d.Seek(0, io.SeekStart)
	return errno
}

func TestDirectoryIsNoFile(t *testing.T) {
	t.Parallel()
	d := open(t, "scripts")
	if _, errno := d.Read(make([]byte, 1)); errno != sys.EISDIR {
		t.Errorf("read: %v; want EISDIR", errno)
	}
	if _, errno := d.Pread(make([]byte, 1), 0); errno != sys.EISDIR {
		t.Errorf("pread: %v; want EISDIR", errno)
	}
	for _, whence := range []int{io.SeekCurrent, io.SeekEnd} {
		if _, errno := d.Seek(0, whence); errno != sys.EINVAL {
			t.Errorf("seek with %d: %v; want EINVAL", whence, errno)
		}
	}
	if errno := d.SetAppend(true); errno != sys.EISDIR {
		t.Errorf("append: %v; want EISDIR", errno)
	}
	if _, errno := open(t, "case").Readdir(1); errno == 0 {
		t.Error("a file has a listing")
	}
}

func TestDescriptorKnowsItsFile(t *testing.T) {
	t.Parallel()
	m := mount(t)
	for _, path := range []string{"case", "scripts", "/"} {
		f, _ := m.OpenFile(path, 0, 0)
		want, _ := m.Stat(path)
		got, errno := f.Stat()
		dev, _ := f.Dev()
		ino, _ := f.Ino()
		if errno != 0 || got != want || dev != want.Dev || ino != want.Ino {
			t.Errorf("%s: open it is %+v, %v; want %+v", path, got, errno, want)
		}
	}
}

func TestAppendFlag(t *testing.T) {
	t.Parallel()
	f := open(t, "case")
	if errno := f.SetAppend(true); errno != 0 || !f.IsAppend() {
		t.Errorf("append: %v, %v", errno, f.IsAppend())
	}
}
