package hostfs_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

func TestListing(t *testing.T) {
	t.Parallel()
	files := map[string]string{"d/": "", "d/y": "", "denied": "", "d/denied": ""}
	want := []string{"d/"}
	for i := range 600 { // more than one batch
		files[fmt.Sprintf("file%03d", i)] = ""
		want = append(want, fmt.Sprintf("file%03d", i))
	}
	top := plant(t, t.TempDir(), files)
	r := run()
	r.Allowed = func(path string) bool { return !strings.Contains(path, "denied") }
	m := open(t, top, hostfs.Options{}).FS(r)
	for _, n := range []int{1, 255, 256, 257, 10000, -1} {
		got := names(t, m, ".", n)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("by %d: %q", n, got)
		}
	}
	if got := names(t, m, "d", 1); !slices.Equal(got, []string{"y"}) {
		t.Errorf("d has %q", got)
	}
}

// TestListingIsOfInodes has the listing agree with stat.
func TestListingIsOfInodes(t *testing.T) {
	t.Parallel()
	m := mount(t, plant(t, t.TempDir(), map[string]string{"x": "", "d/y": ""}), hostfs.Options{})
	d, _ := m.OpenFile(".", 0, 0)
	defer d.Close()
	list, errno := d.Readdir(10)
	if len(list) != 2 || errno != 0 {
		t.Fatal(list, errno)
	}
	for _, e := range list {
		if st, errno := m.Stat(e.Name); errno != 0 || e.Ino != 0 && st.Ino != e.Ino || st.Mode.Type() != e.Type {
			t.Errorf("%+v is listed, stat says %+v, %v", e, st, errno)
		}
	}
}

func TestRewind(t *testing.T) {
	t.Parallel()
	m := mount(t, plant(t, t.TempDir(), map[string]string{"x": ""}), hostfs.Options{Writable: true})
	d, _ := m.OpenFile(".", 0, 0)
	defer d.Close()
	for want := 1; want < 4; want++ {
		if list, errno := d.Readdir(10); len(list) != want || errno != 0 {
			t.Errorf("%v, %v; want %d entries", list, errno, want)
		}
		write(m, fmt.Sprint("new", want), "")
		if _, errno := d.Seek(0, io.SeekStart); errno != 0 {
			t.Error(errno)
		}
	}
	for _, whence := range []int{io.SeekCurrent, io.SeekEnd} {
		if _, errno := d.Seek(0, whence); errno != sys.EINVAL {
			t.Errorf("seek with %d: %v", whence, errno)
		}
	}
	for what, errno := range map[string]sys.Errno{
		"read":   func() sys.Errno { _, errno := d.Read(make([]byte, 1)); return errno }(),
		"write":  func() sys.Errno { _, errno := d.Write([]byte("x")); return errno }(),
		"append": d.SetAppend(true), "truncate": d.Truncate(0),
	} {
		if errno != sys.EISDIR {
			t.Errorf("%s: %v; want EISDIR", what, errno)
		}
	}
	if _, errno := hold(t, m, "x").Readdir(1); errno != sys.ENOTDIR {
		t.Errorf("list a file: %v", errno)
	}
}

// TestListingWhileChanging has files come and go; those that stay are listed once.
func TestListingWhileChanging(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 300 {
		files[fmt.Sprintf("stays%03d", i)] = ""
	}
	top := plant(t, t.TempDir(), files)
	m := mount(t, top, hostfs.Options{})
	stop, changing := make(chan struct{}), sync.WaitGroup{}
	changing.Go(func() {
		for i := 0; ; i++ {
			name := filepath.Join(top, fmt.Sprint("goes", i%50))
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Error(err)
			}
			if i > 25 {
				os.Remove(filepath.Join(top, fmt.Sprint("goes", (i-25)%50)))
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 20 {
		stay := slices.DeleteFunc(names(t, m, ".", 100), func(name string) bool { return strings.HasPrefix(name, "goes") })
		if slices.Sort(stay); len(slices.Compact(stay)) != 300 {
			t.Errorf("%d of 300 files that stay are listed", len(slices.Compact(stay)))
		}
	}
	close(stop)
	changing.Wait()
}

// TestListingAsksWhetherToGoOn ends a run while its directory is listed: what is
// allowed may take long to tell.
func TestListingAsksWhetherToGoOn(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for i := range 100 {
		plant(t, top, map[string]string{fmt.Sprint(i): ""})
	}
	type end struct{}
	r, asked := run(), 0
	r.Allowed = func(string) bool { asked++; return true }
	r.Alive = func() {
		if asked == 10 {
			panic(end{})
		}
	}
	d, errno := open(t, top, hostfs.Options{}).FS(r).OpenFile(".", sys.O_DIRECTORY, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer d.Close()
	defer func() {
		if _, ended := recover().(end); !ended || asked != 10 {
			t.Errorf("asked %d times whether a name is allowed; want the run to end after 10", asked)
		}
	}()
	d.Readdir(100)
}
