package guestfs_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
)

// paths are paths and what opening them for reading gives: an errno, or the
// content of a file ("dir" for a directory).
var paths = []struct {
	path  string
	want  string
	errno sys.Errno
}{
	{".", "dir", 0},
	{"/", "dir", 0},
	{"./", "dir", 0},
	{"..", "dir", 0},
	{"../../..", "dir", 0},
	{"", "", sys.ENOENT},
	{"module.json", "content of module.json", 0},
	{"/module.json", "content of module.json", 0},
	{"../module.json", "content of module.json", 0},
	{"scripts/../module.json", "content of module.json", 0},
	{"scripts//deep/./er/x", "content of scripts/deep/er/x", 0},
	{"scripts", "dir", 0},
	{"scripts/", "dir", 0},
	{"scripts/deep/..", "dir", 0},
	{"module.json/", "", sys.ENOTDIR},
	{"module.json/.", "", sys.ENOTDIR},
	{"module.json/..", "", sys.ENOTDIR},
	{"module.json/x", "", sys.ENOTDIR},
	{"absent", "", sys.ENOENT},
	{"absent/..", "", sys.ENOENT},
	{"absent/../module.json", "", sys.ENOENT},
	{"MODULE.json", "", sys.ENOENT},
	{"scripts/b", "", sys.ENOENT},
	{"module.json\x00", "", sys.ENOENT},
	{"scripts\\a.wasm", "", sys.ENOENT},
	{"\xff\xfe", "", sys.ENOENT},
	{"etc/passwd", "", sys.ENOENT},
	{"/etc/passwd", "", sys.ENOENT},
	{"../../../etc/passwd", "", sys.ENOENT},
	{"proc/self/environ", "", sys.ENOENT},
	{"dev/stdin", "", sys.ENOENT},
	{"dev/tcp/127.0.0.1/22", "", sys.ENOENT},
	{"state", "", sys.ENOENT},
	{"files/x", "", sys.ENOENT},
	{"command/check_ok", "", sys.ENOENT},
	{"env/PATH", "", sys.ENOENT},
	{"C:\\Windows\\win.ini", "", sys.ENOENT},
	{"host", "dir", 0},
	{"host/memory", `{"total": 1}`, 0},
	{"host/memory/", "", sys.ENOTDIR},
	{"host/memory/..", "", sys.ENOTDIR},
	{"host/processes", "", sys.ENOENT},
	{"HOST/memory", "", sys.ENOENT},
	{strings.Repeat("x", guestfs.MaxName), "", sys.ENOENT},
	{strings.Repeat("x", guestfs.MaxName+1), "", sys.ENAMETOOLONG},
	{strings.Repeat("./", guestfs.MaxPath/2), "dir", 0},
	{strings.Repeat("./", guestfs.MaxPath/2) + ".", "", sys.ENAMETOOLONG},
	{strings.Repeat("../", guestfs.MaxPath/3) + "case", "", sys.ENAMETOOLONG},
}

// content is all of an open file, or "dir".
func content(f sys.File) string {
	if dir, _ := f.IsDir(); dir {
		return "dir"
	}
	var all []byte
	for buf := make([]byte, 7); ; {
		n, errno := f.Read(buf)
		if n == 0 || errno != 0 {
			return string(all)
		}
		all = append(all, buf[:n]...)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	m := mount(t)
	for _, row := range paths {
		f, errno := m.OpenFile(row.path, sys.O_RDONLY, 0)
		if errno != row.errno {
			t.Errorf("open %.50q: %v; want %v", row.path, errno, row.errno)
		}
		if _, errno := m.Stat(row.path); errno != row.errno {
			t.Errorf("stat %.50q: %v; want %v", row.path, errno, row.errno)
		}
		if _, errno := m.Lstat(row.path); errno != row.errno {
			t.Errorf("lstat %.50q: %v; want %v", row.path, errno, row.errno)
		}
		if f == nil {
			continue
		}
		if got := content(f); got != row.want {
			t.Errorf("open %.50q: read %q; want %q", row.path, got, row.want)
		}
		f.Close()
		if _, errno := f.Stat(); errno != sys.EBADF {
			t.Errorf("stat of the closed %.50q: %v; want EBADF", row.path, errno)
		}
	}
}

func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	m := mount(t)
	for _, path := range []string{"module.json", "absent", "scripts", "absent/x", "module.json/x", "host/memory", "host/new", "/", ".."} {
		for _, flag := range []sys.Oflag{
			sys.O_RDWR, sys.O_WRONLY, sys.O_CREAT, sys.O_TRUNC, sys.O_EXCL, sys.O_RDWR | sys.O_APPEND,
			sys.O_CREAT | sys.O_EXCL | sys.O_WRONLY, sys.O_TRUNC | sys.O_DIRECTORY,
		} {
			if f, errno := m.OpenFile(path, flag, 0o600); errno != sys.EROFS || f != nil {
				t.Errorf("open %q with %#x: %v; want EROFS", path, flag, errno)
			}
		}
		for name, errno := range map[string]sys.Errno{
			"mkdir": m.Mkdir(path, 0o700), "chmod": m.Chmod(path, 0o777), "rmdir": m.Rmdir(path), "unlink": m.Unlink(path),
			"rename from": m.Rename(path, "x"), "rename to": m.Rename("module.json", path),
			"link from": m.Link(path, "x"), "link to": m.Link("module.json", path),
			"symlink": m.Symlink("/etc/passwd", path), "utimens": m.Utimens(path, 0, 0),
		} {
			if errno != sys.EROFS {
				t.Errorf("%s %q: %v; want EROFS", name, path, errno)
			}
		}
	}
	for _, path := range []string{"module.json", "host/memory", "scripts"} {
		f, errno := m.OpenFile(path, sys.O_RDONLY|sys.O_APPEND, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		if n, errno := f.Write([]byte("x")); n != 0 || errno != sys.EBADF {
			t.Errorf("write to %s: %d, %v; want EBADF", path, n, errno)
		}
		if n, errno := f.Pwrite([]byte("x"), 0); n != 0 || errno != sys.EBADF {
			t.Errorf("pwrite to %s: %d, %v; want EBADF", path, n, errno)
		}
		if errno := f.Truncate(0); errno != sys.EROFS {
			t.Errorf("ftruncate of %s: %v; want EROFS", path, errno)
		}
		if errno := f.Utimens(0, 0); errno != sys.EROFS {
			t.Errorf("futimens of %s: %v; want EROFS", path, errno)
		}
		if errno := f.Sync(); errno != 0 {
			t.Errorf("fsync of %s: %v", path, errno)
		}
	}
	if f, _ := m.OpenFile("module.json", 0, 0); content(f) != "content of module.json" {
		t.Error("module.json has changed")
	}
}

func TestReadlink(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]sys.Errno{"module.json": sys.EINVAL, "scripts": sys.EINVAL, "absent": sys.ENOENT} {
		if _, errno := mount(t).Readlink(path); errno != want {
			t.Errorf("readlink %s: %v; want %v", path, errno, want)
		}
	}
}

func TestDirectoryFlag(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]sys.Errno{"scripts": 0, "module.json": sys.ENOTDIR, "host/memory": sys.ENOTDIR, "absent": sys.ENOENT} {
		if _, errno := mount(t).OpenFile(path, sys.O_DIRECTORY, 0); errno != want {
			t.Errorf("open %s as a directory: %v; want %v", path, errno, want)
		}
	}
}

func TestOpenFilesAreBounded(t *testing.T) {
	t.Parallel()
	m := mount(t)
	var open []sys.File
	for range 10 {
		f, errno := m.OpenFile("case", 0, 0)
		if errno != 0 || m.Full() != (len(open) == 9) {
			t.Fatalf("%d open: %v, full %v", len(open), errno, m.Full())
		}
		open = append(open, f)
	}
	for _, path := range []string{"case", "scripts", "host/cpu"} {
		if _, errno := m.OpenFile(path, 0, 0); errno != sys.EAGAIN {
			t.Errorf("an eleventh file, %s: %v; want EAGAIN", path, errno)
		}
	}
	if _, errno := m.OpenFile("absent", 0, 0); errno != sys.ENOENT {
		t.Errorf("a file that is not there, with no descriptor left: %v", errno)
	}
	for range 2 { // closing twice gives one descriptor back
		open[0].Close()
	}
	if _, errno := m.OpenFile("case", 0, 0); errno != 0 || !m.Full() {
		t.Errorf("after one was closed: %v, full %v", errno, m.Full())
	}
}

// TestAlive ends the run at every operation in turn.
func TestAlive(t *testing.T) {
	t.Parallel()
	alive := true
	m := tree(t).Mount(guestfs.Run{Context: t.Context(), OpenFiles: 10, Alive: func() {
		if !alive {
			panic("stop")
		}
	}})
	f, _ := m.OpenFile("case", 0, 0)
	d, _ := m.OpenFile("scripts", 0, 0)
	alive = false
	for name, do := range map[string]func(){
		"open": func() { m.OpenFile("case", 0, 0) }, "stat": func() { m.Stat("case") }, "lstat": func() { m.Lstat("case") },
		"mkdir": func() { m.Mkdir("x", 0) }, "rename": func() { m.Rename("x", "y") }, "readlink": func() { m.Readlink("case") },
		"read": func() { f.Read(nil) }, "pread": func() { f.Pread(nil, 0) }, "write": func() { f.Write(nil) }, "fstat": func() { f.Stat() },
		"seek": func() { f.Seek(0, 0) }, "append": func() { f.SetAppend(true) }, "truncate": func() { f.Truncate(0) },
		"readdir": func() { d.Readdir(0) }, "rewind": func() { d.Seek(0, 0) }, "read directory": func() { d.Read(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s went on", name)
				}
			}()
			do()
		}()
	}
	if errno := f.Close(); errno != 0 {
		t.Errorf("closing after the end: %v", errno)
	}
}

func TestFactIsReadWhenOpened(t *testing.T) {
	t.Parallel()
	type key struct{}
	reads := 0
	root, err := guestfs.NewRoot(guestfs.Config{Access: access("/host/n"), Host: map[string]guestfs.Document{"n": func(ctx context.Context) ([]byte, error) {
		reads++
		return []byte(strings.Repeat(ctx.Value(key{}).(string), reads)), nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	m := root.Mount(guestfs.Run{Context: context.WithValue(t.Context(), key{}, "ab"), Alive: func() {}, OpenFiles: 10})
	first, _ := m.OpenFile("host/n", 0, 0)
	second, _ := m.OpenFile("host/n", 0, 0)
	for f, want := range map[sys.File]string{first: "ab", second: "abab"} {
		st, errno := f.Stat()
		if errno != 0 || st.Size != int64(len(want)) || st.Mtim == 0 {
			t.Errorf("an open fact is %+v, %v; want a size of %d", st, errno, len(want))
		}
		if got := content(f); got != want {
			t.Errorf("read %q; want %q", got, want)
		}
		f.Seek(0, io.SeekStart)
		if got := content(f); got != want {
			t.Errorf("read %q the second time; want %q", got, want)
		}
	}
	if _, errno := m.Stat("host/n"); errno != 0 || reads != 2 {
		t.Errorf("read %d times, stat %v; want 2", reads, errno)
	}
}

func TestFactFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("no such sensor")
	big := func(context.Context) ([]byte, error) { return make([]byte, guestfs.MaxDocuments/2), nil }
	root, err := guestfs.NewRoot(guestfs.Config{Access: access("/host/*"), Host: map[string]guestfs.Document{
		"big":    big,
		"broken": func(context.Context) ([]byte, error) { return []byte("half"), broken },
	}})
	if err != nil {
		t.Fatal(err)
	}
	var failures []string
	m := root.Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 10, Failed: func(path string, err error) {
		failures = append(failures, path+": "+err.Error())
	}})
	if _, errno := m.OpenFile("host/broken", 0, 0); errno != sys.EIO {
		t.Errorf("a broken fact: %v; want EIO", errno)
	}
	one, _ := m.OpenFile("host/big", 0, 0)
	two, _ := m.OpenFile("host/big", 0, 0)
	if _, errno := m.OpenFile("host/big", 0, 0); errno != sys.EIO {
		t.Errorf("facts over the limit: %v; want EIO", errno)
	}
	one.Close()
	one.Close()
	if _, errno := m.OpenFile("host/big", 0, 0); errno != 0 {
		t.Errorf("after one was closed: %v", errno)
	}
	if _, errno := m.OpenFile("host/big", 0, 0); errno != sys.EIO || two == nil {
		t.Errorf("over the limit again: %v; want EIO", errno)
	}
	if len(failures) != 3 || failures[0] != "/host/broken: no such sensor" || !strings.Contains(failures[1], "limit") {
		t.Errorf("failures: %q", failures)
	}
}

func TestNoFactsNoHost(t *testing.T) {
	t.Parallel()
	root, err := guestfs.NewRoot(guestfs.Config{Files: []guestfs.File{file("a")}, Host: map[string]guestfs.Document{"memory": fact("{}")}})
	if err != nil {
		t.Fatal(err)
	}
	m := root.Mount(guestfs.Run{Alive: func() {}, OpenFiles: 1})
	if _, errno := m.Stat("host"); errno != sys.ENOENT {
		t.Errorf("stat of /host without facts: %v; want ENOENT", errno)
	}
	d, _ := m.OpenFile("/", 0, 0)
	if list, _ := d.Readdir(0); len(list) != 1 || list[0].Name != "a" {
		t.Errorf("the root lists %v", list)
	}
}

func FuzzOpen(f *testing.F) {
	for _, row := range paths {
		f.Add(row.path, uint32(0))
		f.Add(row.path, uint32(sys.O_CREAT))
	}
	root := tree(f)
	known := []string{"dir", `{"total": 1}`, `{}`}
	for _, name := range []string{"module.json", "scripts/a.wasm", "scripts/deep/er/x", "scripts/b.sh", "Case", "case"} {
		known = append(known, "content of "+name)
	}
	f.Fuzz(func(t *testing.T, path string, flag uint32) {
		m := root.Mount(guestfs.Run{Context: t.Context(), Alive: func() {}, OpenFiles: 1})
		file, errno := m.OpenFile(path, sys.Oflag(flag), 0)
		_, missing := m.Stat(path)
		switch {
		case errno == 0 && missing != 0:
			t.Errorf("%q opened, but stat says %v", path, missing)
		case errno == 0 && !slices.Contains(known, content(file)):
			t.Errorf("%q is %q", path, content(file))
		case errno == 0 && sys.Oflag(flag)&(sys.O_RDWR|sys.O_WRONLY|sys.O_CREAT|sys.O_TRUNC) != 0:
			t.Errorf("%q was opened for writing with %#x", path, flag)
		case errno != 0 && file != nil:
			t.Errorf("%q: a file and %v", path, errno)
		}
	})
}

func BenchmarkOpenReadClose(b *testing.B) {
	m := mount(b)
	buf := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		f, errno := m.OpenFile("scripts/deep/er/x", 0, 0)
		if errno != 0 {
			b.Fatal(errno)
		}
		f.Read(buf)
		f.Close()
	}
}
