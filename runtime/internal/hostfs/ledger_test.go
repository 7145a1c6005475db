package hostfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// count is what a directory of the host holds. What vanishes meanwhile is not there.
func count(t testing.TB, top string) (used hostfs.Quota) {
	t.Helper()
	must(t, filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || path == top {
			return nil
		} else if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		used.Files++
		if info.Mode().IsRegular() {
			used.Bytes += info.Size()
		}
		return nil
	}))
	return used
}

// TestQuota has steps that each use a quota of 100 bytes and 4 files in another way.
func TestQuota(t *testing.T) {
	t.Parallel()
	const full = hostfs.EDQUOT
	top := t.TempDir()
	d := open(t, top, quota(100, 4))
	m := d.FS(run())
	var x, y sys.File
	put := func(f sys.File, n int, off int64, want int) sys.Errno {
		got, errno := f.Pwrite(make([]byte, n), off)
		if got != want {
			t.Errorf("%d bytes at %d: wrote %d; want %d", n, off, got, want)
		}
		return errno
	}
	for _, row := range []struct {
		what  string
		do    func() sys.Errno
		errno sys.Errno
		used  hostfs.Quota
	}{
		{"make x", func() sys.Errno { x = hold(t, m, "x"); return 0 }, 0, hostfs.Quota{Files: 1}},
		{"write", func() sys.Errno { return put(x, 60, 0, 60) }, 0, hostfs.Quota{Bytes: 60, Files: 1}},
		{"write over", func() sys.Errno { return put(x, 60, 0, 60) }, 0, hostfs.Quota{Bytes: 60, Files: 1}},
		{"write over and beyond", func() sys.Errno { return put(x, 60, 10, 60) }, 0, hostfs.Quota{Bytes: 70, Files: 1}},
		{"write up to the end", func() sys.Errno { return put(x, 60, 50, 50) }, 0, hostfs.Quota{Bytes: 100, Files: 1}},
		{"write at the end", func() sys.Errno { return put(x, 1, 100, 0) }, full, hostfs.Quota{Bytes: 100, Files: 1}},
		{"write no bytes", func() sys.Errno { return put(x, 0, 1000, 0) }, 0, hostfs.Quota{Bytes: 100, Files: 1}},
		{"write what is there", func() sys.Errno { return put(x, 100, 0, 100) }, 0, hostfs.Quota{Bytes: 100, Files: 1}},
		{"write far away", func() sys.Errno { return put(x, 1, math.MaxInt64-1, 0) }, full, hostfs.Quota{Bytes: 100, Files: 1}},
		{"grow", func() sys.Errno { return x.Truncate(101) }, full, hostfs.Quota{Bytes: 100, Files: 1}},
		{"grow a lot", func() sys.Errno { return x.Truncate(math.MaxInt64) }, full, hostfs.Quota{Bytes: 100, Files: 1}},
		{"shrink", func() sys.Errno { return x.Truncate(10) }, 0, hostfs.Quota{Bytes: 10, Files: 1}},
		{"grow with a hole", func() sys.Errno { return x.Truncate(40) }, 0, hostfs.Quota{Bytes: 40, Files: 1}},
		{"write behind a hole", func() sys.Errno { return put(x, 20, 90, 10) }, 0, hostfs.Quota{Bytes: 100, Files: 1}},
		{"truncate by opening", func() sys.Errno { return write(m, "x", "12345") }, 0, hostfs.Quota{Bytes: 5, Files: 1}},
		{"make y", func() sys.Errno { y = hold(t, m, "y"); return put(y, 50, 0, 50) }, 0, hostfs.Quota{Bytes: 55, Files: 2}},
		{"make d", func() sys.Errno { return m.Mkdir("d", 0) }, 0, hostfs.Quota{Bytes: 55, Files: 3}},
		{"make d/e", func() sys.Errno { return m.Mkdir("d/e", 0) }, 0, hostfs.Quota{Bytes: 55, Files: 4}},
		{"make one more", func() sys.Errno { return write(m, "d/z", "") }, full, hostfs.Quota{Bytes: 55, Files: 4}},
		{"make one more directory", func() sys.Errno { return m.Mkdir("z", 0) }, full, hostfs.Quota{Bytes: 55, Files: 4}},
		{"make what is there", func() sys.Errno { return m.Mkdir("d", 0) }, sys.EEXIST, hostfs.Quota{Bytes: 55, Files: 4}},
		{"remove what is open", func() sys.Errno { return m.Unlink("y") }, 0, hostfs.Quota{Bytes: 55, Files: 4}},
		{"make one in its place", func() sys.Errno { return write(m, "y", "") }, full, hostfs.Quota{Bytes: 55, Files: 4}},
		{"write to what is removed", func() sys.Errno { return put(y, 100, 50, 45) }, 0, hostfs.Quota{Bytes: 100, Files: 4}},
		{"close what is removed", func() sys.Errno { return y.Close() }, 0, hostfs.Quota{Bytes: 5, Files: 3}},
		{"make y again", func() sys.Errno { return write(m, "y", "123") }, 0, hostfs.Quota{Bytes: 8, Files: 4}},
		{"rename over what is open", func() sys.Errno { return m.Rename("y", "x") }, 0, hostfs.Quota{Bytes: 8, Files: 4}},
		{"shrink what is not there", func() sys.Errno { return x.Truncate(1) }, 0, hostfs.Quota{Bytes: 4, Files: 4}},
		{"close it", func() sys.Errno { return x.Close() }, 0, hostfs.Quota{Bytes: 3, Files: 3}},
		{"rename a directory over an empty one", func() sys.Errno { m.Mkdir("f", 0); return m.Rename("f", "d/e") }, 0, hostfs.Quota{Bytes: 3, Files: 3}},
		{"remove d/e", func() sys.Errno { return m.Rmdir("d/e") }, 0, hostfs.Quota{Bytes: 3, Files: 2}},
		{"remove d", func() sys.Errno { return m.Rmdir("d") }, 0, hostfs.Quota{Bytes: 3, Files: 1}},
		{"remove x", func() sys.Errno { return m.Unlink("x") }, 0, hostfs.Quota{}},
		{"remove nothing", func() sys.Errno { return m.Unlink("x") }, sys.ENOENT, hostfs.Quota{}},
	} {
		if errno := row.do(); errno != row.errno {
			t.Fatalf("%s: %v; want %v", row.what, errno, row.errno)
		}
		if d.Used() != row.used {
			t.Fatalf("%s: counted %+v; want %+v", row.what, d.Used(), row.used)
		}
	}
}

// TestQuotaOfTwoDescriptors has a file counted until the last of them is closed.
func TestQuotaOfTwoDescriptors(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), quota(100, 4))
	a, b := hold(t, d.FS(run()), "x"), hold(t, d.FS(run()), "x")
	a.Write(make([]byte, 30))
	d.FS(run()).Unlink("x")
	a.Close()
	if got := (hostfs.Quota{Bytes: 30, Files: 1}); d.Used() != got {
		t.Errorf("one is open: counted %+v", d.Used())
	}
	b.Close()
	if d.Used() != (hostfs.Quota{}) {
		t.Errorf("none is open: counted %+v", d.Used())
	}
}

func TestQuotaIsCountedAgain(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"x": "12345", "d/y": "12345", "d/e/z": "12345"})
	want := hostfs.Quota{Bytes: 15, Files: 5}
	d := open(t, top, quota(20, 6))
	if d.Used() != want {
		t.Errorf("counted %+v; want %+v", d.Used(), want)
	}
	m := d.FS(run())
	f := hold(t, m, "new")
	if n, _ := f.Write(make([]byte, 100)); n != 5 {
		t.Errorf("wrote %d of 5 bytes", n)
	}
	d.Close()
	lower := open(t, top, quota(10, 2)) // less than there is
	if lower.Used() != (hostfs.Quota{Bytes: 20, Files: 6}) {
		t.Errorf("counted %+v", lower.Used())
	}
	m = lower.FS(run())
	if errno := write(m, "one more", ""); errno != hostfs.EDQUOT {
		t.Errorf("made one more: %v", errno)
	}
	x := hold(t, m, "x")
	if n, errno := x.Pwrite([]byte("abcdef"), 0); n != 5 || errno != 0 {
		t.Errorf("wrote over what is there: %d, %v", n, errno)
	}
	if _, errno := x.Pwrite([]byte("f"), 5); errno != hostfs.EDQUOT {
		t.Errorf("wrote more: %v", errno)
	}
}

// TestQuotaOfTooMuchToCount has a directory with far more files than its quota: it is
// opened in little time, can be read and cleared, and cannot grow.
func TestQuotaOfTooMuchToCount(t *testing.T) {
	t.Parallel()
	top := plant(t, t.TempDir(), map[string]string{"full/": "", "x": "12345"})
	for n := range 4200 {
		must(t, os.WriteFile(filepath.Join(top, "full", strconv.Itoa(n)), []byte("1"), 0o600))
	}
	d := open(t, top, quota(1<<30, 8))
	m := d.FS(run())
	if got, errno := read(m, "x"); got != "12345" || errno != 0 {
		t.Errorf("read %q, %v", got, errno)
	}
	if errno := m.Unlink("full/7"); errno != 0 {
		t.Errorf("removed one: %v", errno)
	}
	if errno := write(m, "new", ""); errno != hostfs.EDQUOT {
		t.Errorf("made one more: %v", errno)
	}
	if _, errno := hold(t, m, "x").Pwrite([]byte("6"), 5); errno != hostfs.EDQUOT {
		t.Errorf("wrote more: %v", errno)
	}
	d.Close()
	must(t, os.RemoveAll(filepath.Join(top, "full")))
	if errno := write(mount(t, top, quota(1<<30, 8)), "new", ""); errno != 0 {
		t.Errorf("made one more when there was room: %v", errno)
	}
}

// TestQuotaRace has a hundred runs grow the same few files until no byte is left.
// No file shrinks, so that the sum of their sizes is never more than there was.
func TestQuotaRace(t *testing.T) {
	t.Parallel()
	const limit = 100_003
	top := t.TempDir()
	d := open(t, top, quota(limit, 10))
	var growing sync.WaitGroup
	for i := range 100 {
		growing.Go(func() {
			m, random := d.FS(run()), rand.New(rand.NewPCG(1, uint64(i)))
			for errno := sys.Errno(0); errno != hostfs.EDQUOT; {
				f, errno2 := m.OpenFile(fmt.Sprint("f", random.IntN(10)), sys.O_RDWR|sys.O_CREAT|sys.O_APPEND, 0)
				if errno2 != 0 {
					t.Error(errno2)
					return
				}
				if st, _ := f.Stat(); random.IntN(3) == 0 {
					f.Pwrite([]byte{1}, st.Size+int64(random.IntN(100))) // with a hole
				}
				_, errno = f.Write(make([]byte, 1+random.IntN(500)))
				f.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { growing.Wait(); close(done) }()
	for finished := false; !finished; {
		select {
		case <-done:
			finished = true
		default:
		}
		if got := count(t, top); got.Bytes > limit || got.Files > 10 {
			t.Errorf("there is %+v; the quota is %d bytes and 10 files", got, limit)
		}
	}
	if d.Used() != count(t, top) {
		t.Errorf("counted %+v, there is %+v", d.Used(), count(t, top))
	}
}

// TestQuotaStorm has a hundred runs do everything at once, and all removed then.
func TestQuotaStorm(t *testing.T) {
	t.Parallel()
	limit := hostfs.Quota{Bytes: 5000, Files: 12}
	top := t.TempDir()
	d := open(t, top, hostfs.Options{Writable: true, Quota: &limit})
	names := []string{"a", "b", "c", "d", "d/a", "d/b", "e", "e/a", "d/e", "d/e/a"}
	for range 3 {
		var storm sync.WaitGroup
		for i := range 100 {
			storm.Go(func() {
				m, random := d.FS(run()), rand.New(rand.NewPCG(2, uint64(i)))
				held := make([]sys.File, 3)
				for range 60 {
					random1, random2 := names[random.IntN(len(names))], names[random.IntN(len(names))]
					slot := &held[random.IntN(len(held))]
					switch random.IntN(6) {
					case 0:
						m.Mkdir(random1, 0)
					case 1:
						m.Rmdir(random1)
						m.Unlink(random2)
					case 2:
						m.Rename(random1, random2)
					case 3:
						if *slot != nil {
							(*slot).Close()
						}
						*slot = nil
						if f, errno := m.OpenFile(random1, sys.O_RDWR|sys.O_CREAT, 0); errno == 0 {
							*slot = f
						}
					default:
						if *slot != nil {
							(*slot).Pwrite(make([]byte, random.IntN(300)), int64(random.IntN(300)))
							(*slot).Truncate(int64(random.IntN(600)))
						}
					}
					if used := d.Used(); used.Bytes > limit.Bytes || used.Files > limit.Files {
						t.Errorf("used %+v of %+v", used, limit)
						return
					}
				}
				for _, f := range held {
					if f != nil {
						f.Close()
					}
				}
			})
		}
		storm.Wait()
		if got := count(t, top); d.Used() != got || got.Bytes > limit.Bytes || got.Files > limit.Files {
			t.Fatalf("counted %+v, there is %+v", d.Used(), got)
		}
	}
	m := d.FS(run())
	for i := len(names) - 1; i >= 0; i-- {
		m.Unlink(names[i])
		m.Rmdir(names[i])
	}
	for left := count(t, top); left.Files > 0; left = count(t, top) { // what was renamed deeper
		must(t, filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(top, path)
			if err == nil && rel != "." && m.Unlink(filepath.ToSlash(rel)) != 0 && m.Rmdir(filepath.ToSlash(rel)) == 0 {
				return fs.SkipDir
			}
			return nil
		}))
	}
	if d.Used() != (hostfs.Quota{}) {
		t.Errorf("nothing is left, and counted is %+v", d.Used())
	}
}

// TestAppendsOfManyRuns has each record whole.
func TestAppendsOfManyRuns(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	d := open(t, top, hostfs.Options{Writable: true})
	var runs sync.WaitGroup
	for i := range 50 {
		runs.Go(func() {
			f, errno := d.FS(run()).OpenFile("log", sys.O_WRONLY|sys.O_CREAT|sys.O_APPEND, 0)
			if errno != 0 {
				t.Error(errno)
				return
			}
			defer f.Close()
			for range 20 {
				f.Write(append(bytes.Repeat([]byte{byte('A' + i%26)}, 63), '\n'))
			}
		})
	}
	runs.Wait()
	content, err := os.ReadFile(filepath.Join(top, "log"))
	must(t, err)
	for line := range bytes.Lines(content) {
		if len(line) != 64 || !bytes.Equal(line[:63], bytes.Repeat(line[:1], 63)) {
			t.Fatalf("a record is %q", line)
		}
	}
	if len(content) != 50*20*64 {
		t.Errorf("%d bytes; want %d", len(content), 50*20*64)
	}
}
