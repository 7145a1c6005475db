package memory_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasmagent/wasmagent/runtime/internal/memory"
)

// child reports whether this is the process that a test may set limits of. If it is not,
// it runs the test in one.
func child(t *testing.T) bool {
	t.Helper()
	if os.Getenv("MEMORY_TEST_CHILD") == t.Name() {
		return true
	}
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "MEMORY_TEST_CHILD="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	return false
}

func limit(t *testing.T, resource int, most uint64) {
	t.Helper()
	if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: most, Max: most}); err != nil {
		t.Fatal(err)
	}
}

// TestExhausted takes memories until the system has no more address space, and wants
// an error then, and all of it to be there again when they were freed.
func TestExhausted(t *testing.T) {
	if !child(t) {
		return
	}
	p := pictures["large"]
	image := p.image(t)
	pool := memory.NewPool(1 << 20)
	defer pool.Close()
	limit(t, unix.RLIMIT_AS, addressSpace(t)+3*large*page+50<<20) // some is for Go's own threads and heap
	first := exhaust(t, pool, image, p)
	if _, err := memory.NewImage(1<<40, func([]byte) {}); err == nil {
		t.Error("an image of 1 TiB is no error")
	}
	if second := exhaust(t, pool, image, p); first == 0 || second != first {
		t.Errorf("%d memories at first, and %d when they were freed", first, second)
	}
}

// addressSpace is how many bytes the process has.
func addressSpace(t *testing.T) uint64 {
	t.Helper()
	stat, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages := uint64(0)
	for _, digit := range strings.Fields(string(stat))[0] {
		pages = pages*10 + uint64(digit-'0')
	}
	return pages * uint64(os.Getpagesize())
}

// large is how many pages each memory is to have that exhausts the system.
const large = 1024

// exhaust returns how many memories there can be at once.
func exhaust(t *testing.T, pool *memory.Pool, image *memory.Image, p picture) int {
	t.Helper()
	var open []*memory.Memory
	defer func() {
		for _, m := range open {
			m.Free()
		}
	}()
	for range 1000 {
		m := pool.Memory(large*page, image)
		b := m.Allocate(large*page, large*page).Reallocate(p.pages * page)
		if b == nil {
			if m.Err() == nil {
				t.Error("no memory, and no error")
			}
			return len(open)
		}
		if !p.same(b) {
			t.Fatal("not as the image")
		}
		open = append(open, m)
	}
	t.Fatal("the system has no limit")
	return 0
}

// TestWithoutDescriptors has the process open no more files: an image is copied then, and a
// pool cannot ask what of a memory was written.
func TestWithoutDescriptors(t *testing.T) {
	if !child(t) {
		return
	}
	mapped := map[string]*memory.Image{}
	for name, p := range pictures {
		mapped[name] = p.image(t)
	}
	limit(t, unix.RLIMIT_NOFILE, 3)
	pool := memory.NewPool(256 << 20)
	defer pool.Close()
	for name, p := range pictures {
		copied := p.image(t)
		for round := range 3 {
			useTwo(t, pool, mapped[name], name, p, round)
			useTwo(t, pool, copied, name, p, round)
		}
	}
}

// TestImageSealed tries to change the files of images, as another process of the same user
// could.
func TestImageSealed(t *testing.T) {
	p := pictures["large"]
	image := p.image(t)
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		if target, err := os.Readlink(file); err != nil || !strings.HasPrefix(target, "/memfd:image") {
			continue
		}
		tried++
		if err := os.Truncate(file, 0); err == nil {
			t.Error("the file of an image was truncated")
		}
		if f, err := os.OpenFile(file, os.O_RDWR, 0); err == nil {
			if _, err := f.WriteAt([]byte{1}, 0); err == nil {
				t.Error("the file of an image was written")
			}
			f.Close()
		}
	}
	if tried == 0 {
		t.Error("no image has a file")
	}
	useTwo(t, memory.NewPool(0), image, "large", p, 0)
}
