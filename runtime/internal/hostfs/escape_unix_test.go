//go:build unix

package hostfs_test

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// notDenied allows what has no "denied" in its path.
func notDenied(path string) bool { return !strings.Contains(path, "denied") }

// lair is a mount with things that lead astray, beside secrets.
func lair(t testing.TB) string {
	t.Helper()
	top := plant(t, shortDir(t), map[string]string{
		"secret/file": "outside", "secret/denied": "outside",
		"mount/a/file": "inside", "mount/b/denied": "denied", "mount/b/file": "inside", "mount/denied/file": "denied", "mount/a/b/c/file": "inside",
	})
	for name, target := range map[string]string{
		"out": "../secret/file", "outdir": "../secret", "abs": top + "/secret/file", "absin": top + "/mount/a/file", "up": "..", "back": "../mount/a/file",
		"in": "a/file", "indir": "a", "hidden": "b/denied", "hiddendir": "denied", "half": "b", "self": ".", "a/up": "../b", "a/b/c/top": "../../..",
		"updown": "a/../../secret/file", "loop": "loop", "ping": "pong", "pong": "ping", "dangling": "a/none", "danglingout": "../none", "danglingdenied": "denied/none",
		"proc": "/proc/self/root/etc/passwd", "procroot": "/proc/self/root", "cwd": "/proc/self/cwd", "null": "/dev/null", "tofifo": "fifo",
		"viahidden": "denied2", "denied2": "a/file", "slash": "a/", "trick": "a//./file", "colon": "x:y",
		"chain0": "a/file", "dirs0": "a",
	} {
		must(t, os.Symlink(target, top+"/mount/"+name))
	}
	for i := range hostfs.MaxLinks {
		must(t, os.Symlink(fmt.Sprint("chain", i), fmt.Sprint(top, "/mount/chain", i+1)))
		must(t, os.Symlink(fmt.Sprint("dirs", i), fmt.Sprint(top, "/mount/dirs", i+1)))
	}
	must(t, syscall.Mkfifo(top+"/mount/fifo", 0o600))
	socket, err := net.Listen("unix", top+"/mount/socket")
	must(t, err)
	t.Cleanup(func() { socket.Close() })
	if os.Geteuid() == 0 {
		must(t, syscall.Mknod(top+"/mount/device", syscall.S_IFCHR|0o600, 1<<8|3))
	}
	must(t, os.WriteFile(top+"/mount/x:y", []byte("colon"), 0o600))
	return top
}

// shortDir is a directory whose path is short enough for a socket in it.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "h")
	must(t, err)
	dir, err = filepath.EvalSymlinks(dir)
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestLinks(t *testing.T) {
	t.Parallel()
	const inside = sys.Errno(0)
	for _, o := range []hostfs.Options{{}, {Writable: true}, quota(1000, 1000)} {
		top := lair(t)
		secret := harvest(t, top+"/secret")
		r := run()
		r.Allowed = notDenied
		m := open(t, top+"/mount", o).FS(r)
		for path, want := range map[string]sys.Errno{
			"a/file": inside, "in": inside, "indir/file": inside, "indir/b/c/file": inside, "half/file": inside, "self/a/file": inside, "self/self/in": inside,
			"a/up/file": inside, "a/b/c/top/a/file": inside, "a/b/c/top/indir/b/c/top/in": inside, "slash/file": inside, "trick": inside,
			"chain15": inside, "dirs15/file": inside, "chain16": sys.ELOOP, "dirs16/file": sys.ELOOP, "dirs15/b/c/top/in": sys.ELOOP,
			"out": sys.EACCES, "outdir/file": sys.EACCES, "abs": sys.EACCES, "absin": sys.EACCES, "up/secret/file": sys.EACCES, "back": sys.EACCES,
			"updown": sys.EACCES, "proc": sys.EACCES, "procroot/etc/passwd": sys.EACCES, "cwd/dir.go": sys.EACCES, "null": sys.EACCES,
			"hidden": sys.EACCES, "hiddendir/file": sys.EACCES, "half/denied": sys.EACCES, "indir/up/denied": sys.EACCES, "viahidden": sys.EACCES,
			"loop": sys.ELOOP, "ping": sys.ELOOP, "loop/x": sys.ELOOP, "dangling": sys.ENOENT, "danglingout": sys.EACCES, "danglingdenied": sys.EACCES,
			"fifo": sys.EACCES, "tofifo": sys.EACCES, "socket": sys.EACCES, "fifo/x": sys.ENOTDIR, "in/x": sys.ENOTDIR, "colon": sys.EINVAL,
			"IN": sys.ENOENT, "․․/secret/file": sys.ENOENT, "．．/secret/file": sys.ENOENT, "..／secret": sys.ENOENT, "a∕file": sys.ENOENT, "~/file": sys.ENOENT, "$HOME": sys.ENOENT,
		} {
			got, errno := read(m, path)
			if errno != want || errno == 0 && got != "inside" {
				t.Errorf("%s: %q, %v; want %v", path, got, errno, want)
			}
			if _, errno := m.Stat(path); errno != want {
				t.Errorf("stat %s: %v; want %v", path, errno, want)
			}
			for _, flag := range []sys.Oflag{sys.O_WRONLY, sys.O_RDWR | sys.O_TRUNC, sys.O_RDWR | sys.O_CREAT, sys.O_RDWR | sys.O_CREAT | sys.O_EXCL, sys.O_DIRECTORY} {
				if want != 0 && want != sys.ENOENT {
					if f, errno := m.OpenFile(path, flag, 0); errno == 0 {
						t.Errorf("open %s with %#x: %v", path, flag, f)
					}
				}
			}
		}
		if _, errno := read(m, "device"); os.Geteuid() == 0 && errno != sys.EACCES {
			t.Errorf("device: %v", errno)
		}
		for _, path := range []string{"out", "outdir/file", "outdir/new", "abs", "updown", "up/secret/new", "fifo", "null", "hidden", "hiddendir/file", "danglingout"} {
			m.Utimens(path, 1, 1)
			m.Mkdir(path, 0o700)
			m.Rename("a/file", path)
			m.Rename(path, "a/new")
			m.Unlink(path)
			m.Rmdir(path)
		}
		if got := harvest(t, top+"/secret"); !maps.Equal(got, secret) {
			t.Errorf("outside is now %q", got)
		}
		if got, err := os.ReadFile(top + "/mount/denied/file"); err != nil || string(got) != "denied" {
			t.Errorf("what is denied is now %q, %v", got, err)
		}
	}
}

// TestLinksAreNamesToo has links removed and renamed, not what they lead to.
func TestLinksAreNamesToo(t *testing.T) {
	t.Parallel()
	top := lair(t)
	m := mount(t, top+"/mount", quota(1000, 1000))
	for what, errno := range map[string]sys.Errno{
		"unlink": m.Unlink("out"), "unlink directory": m.Unlink("outdir"), "rename": m.Rename("in", "moved"), "rename over": m.Rename("b/file", "abs"),
	} {
		if errno != 0 {
			t.Errorf("%s: %v", what, errno)
		}
	}
	if errno := m.Rmdir("indir"); errno != sys.ENOTDIR {
		t.Errorf("rmdir of a link: %v", errno)
	}
	for path, want := range map[string]string{"moved": "inside", "abs": "inside", "a/file": "inside"} {
		if got, errno := read(m, path); got != want || errno != 0 {
			t.Errorf("%s: %q, %v; want %q", path, got, errno, want)
		}
	}
	if got := harvest(t, top+"/secret"); got["file"] != "outside" {
		t.Errorf("outside is now %q", got)
	}
	if errno := write(m, "dangling", "made"); errno != 0 {
		t.Errorf("write through a link: %v", errno)
	}
	if got, _ := read(m, "a/none"); got != "made" {
		t.Errorf("through a link: %q", got)
	}
}

func TestListingShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	r := run()
	r.Allowed = notDenied
	top := lair(t)
	m := open(t, top+"/mount", hostfs.Options{}).FS(r)
	var want []string
	for i := range hostfs.MaxLinks {
		want = append(want, fmt.Sprint("chain", i), fmt.Sprint("dirs", i, "/"))
	}
	want = append(want, "a/", "b/", "half/", "in", "indir/", "self/", "slash/", "trick")
	slices.Sort(want)
	for _, n := range []int{1, 7, 1000, 0} {
		got := names(t, m, ".", n)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("by %d: %q; want %q", n, got, want)
		}
	}
	if got := names(t, m, "half", 10); !slices.Equal(got, []string{"file"}) {
		t.Errorf("through a link: %q", got)
	}
	r.Allowed = func(path string) bool { return path != "b/file" }
	if got := names(t, open(t, top+"/mount", hostfs.Options{}).FS(r), "half", 10); !slices.Equal(got, []string{"denied"}) {
		t.Errorf("through a link to what is not allowed: %q", got)
	}
	for _, name := range names(t, m, ".", 10) {
		if _, errno := m.Stat(strings.TrimSuffix(name, "/")); errno != 0 {
			t.Errorf("%s is listed, and %v", name, errno)
		}
	}
}

// swap puts things in turns at a name of the mount, until stop is closed. They wait
// beside it, so that each turn is two renames.
func swap(t *testing.T, top, name string, things []func(path string) error, stop <-chan struct{}) {
	at := filepath.Join(top, "mount", name)
	parked := func(i int) string { return fmt.Sprint(at, ".denied", i%len(things)) }
	for i, thing := range things {
		if err := thing(parked(i)); err != nil {
			t.Error(err)
			return
		}
	}
	for i := 0; ; i++ {
		if err := os.Rename(parked(i), at); err != nil {
			t.Error(err)
			return
		}
		select {
		case <-stop:
			return
		default:
		}
		if err := os.Rename(at, parked(i)); err != nil {
			t.Error(err)
			return
		}
	}
}

// link makes a symbolic link.
func link(target string) func(string) error {
	return func(path string) error { return os.Symlink(target, path) }
}

// pipe makes a FIFO.
func pipe(path string) error { return syscall.Mkfifo(path, 0o600) }

func file(path string) error { return os.WriteFile(path, []byte("inside"), 0o600) }

// directory makes a directory with a file in it.
func directory(path string) error {
	return errors.Join(os.Mkdir(path, 0o700), file(filepath.Join(path, "file")))
}

// TestSwaps has names change between what is allowed and what is not, while a run
// reads and writes through them.
func TestSwaps(t *testing.T) {
	t.Parallel()
	things := map[string][]func(string) error{
		"leaf":   {file, link("denied.txt"), file, pipe, file, link("../secret/file"), link("b/denied"), link("a/file")},
		"branch": {directory, link("denied"), directory, pipe, directory, link("../secret"), link("a")},
	}
	for _, o := range []hostfs.Options{{}, {Writable: true}, quota(1<<20, 1000)} {
		top := lair(t)
		must(t, os.WriteFile(top+"/mount/denied.txt", []byte("denied"), 0o600))
		r := run()
		r.Allowed = notDenied
		d := open(t, top+"/mount", o)
		stop, swapping := make(chan struct{}), sync.WaitGroup{}
		for name, things := range things {
			swapping.Go(func() { swap(t, top, name, things, stop) })
		}
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() { readBoth(t, d.FS(r)) })
		}
		readers.Wait()
		close(stop)
		swapping.Wait()
		for path, want := range map[string]string{"secret/file": "outside", "mount/denied/file": "denied", "mount/b/denied": "denied", "mount/denied.txt": "denied"} {
			if got, _ := os.ReadFile(filepath.Join(top, path)); string(got) != want {
				t.Errorf("%s is now %q", path, got)
			}
		}
	}
}

// readBoth reads and writes what is swapped, until it has seen files and refusals.
func readBoth(t *testing.T, m sys.FS) {
	seen := map[string]int{}
	for i := 0; !t.Failed() && (i < 2000 || seen["inside"] == 0 || seen[""] == 0); i++ {
		for _, path := range []string{"leaf", "branch/file"} {
			got, errno := read(m, path)
			seen[got]++
			if errno == 0 && got != "inside" {
				t.Errorf("%s is %q", path, got)
			}
			if f, errno := m.OpenFile(path, sys.O_WRONLY, 0); errno == 0 {
				f.Write([]byte("inside"))
				f.Close()
			}
		}
	}
}

// TestHardLinks has a rename that does nothing, as of two names of one file.
func TestHardLinks(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"x": "12345"})
	must(t, os.Link(top+"/x", top+"/y"))
	d := open(t, top, quota(100, 10))
	if errno := d.FS(run()).Rename("x", "y"); errno != 0 || d.Used() != count(t, top) {
		t.Errorf("%v, counted %+v; there is %+v", errno, d.Used(), count(t, top))
	}
}

// TestOpenFollowsOnce has the operator name a link.
func TestOpenFollowsOnce(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"one/x": "one", "two/x": "two"})
	must(t, os.Symlink("one", top+"/dir"))
	must(t, os.Symlink("one/x", top+"/file"))
	dir, file := mount(t, top+"/dir", hostfs.Options{}), mount(t, top+"/file", hostfs.Options{})
	for _, name := range []string{"dir", "file"} {
		must(t, os.Remove(top+"/"+name))
	}
	must(t, os.Symlink("two", top+"/dir"))
	must(t, os.Symlink("two/x", top+"/file"))
	for _, got := range []string{first(read(dir, "x")), first(read(file, "."))} {
		if got != "one" {
			t.Errorf("got %q; want what the link led to", got)
		}
	}
	must(t, os.Remove(top+"/one/x"))
	must(t, os.Symlink("../two/x", top+"/one/x"))
	if _, errno := read(file, "."); errno != sys.EACCES {
		t.Errorf("a link in the place of the file: %v", errno)
	}
}

func first(s string, _ sys.Errno) string { return s }
