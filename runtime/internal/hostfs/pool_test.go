package hostfs_test

import (
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// use opens a path of a pool until the end of the test.
func use(t *testing.T, p *hostfs.Pool, path string, o hostfs.Options) *hostfs.Dir {
	t.Helper()
	d, release, err := p.Open(path, o)
	must(t, err)
	t.Cleanup(release)
	return d
}

// TestPoolShares has users of one path, some of whom may write.
func TestPoolShares(t *testing.T) {
	t.Parallel()
	var p hostfs.Pool
	top := plant(t, t.TempDir(), map[string]string{"x": "content"})
	writer := use(t, &p, top, quota(100, 10))
	if use(t, &p, top, quota(100, 10)) != writer {
		t.Error("two writers do not share their account")
	}
	reader := use(t, &p, top, hostfs.Options{})
	if errno := write(reader.FS(run()), "x", "changed"); errno != sys.EROFS {
		t.Errorf("a reader beside a writer writes: %v", errno)
	}
	if errno := reader.FS(run()).Unlink("x"); errno != sys.EROFS {
		t.Errorf("a reader beside a writer removes: %v", errno)
	}
	if errno := write(writer.FS(run()), "x", "changed"); errno != 0 {
		t.Errorf("a writer beside a reader: %v", errno)
	}
}

// TestPoolForgets wants a path that nobody uses to be opened anew.
func TestPoolForgets(t *testing.T) {
	t.Parallel()
	var p hostfs.Pool
	top := plant(t, t.TempDir(), map[string]string{"x": "12345"})
	first, release, err := p.Open(top, quota(100, 10))
	must(t, err)
	release()
	plant(t, top, map[string]string{"y": "12345"})
	if second := use(t, &p, top, quota(100, 10)); second == first || second.Used() != count(t, top) {
		t.Errorf("counted %+v; there is %+v", second.Used(), count(t, top))
	}
	for range 2 {
		if _, _, err := p.Open(top+"/none", hostfs.Options{}); err == nil {
			t.Error("a path that is not there is open")
		}
	}
}
