package memory_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasmagent/wasmagent/runtime/internal/memory"
)

// A guest is which pages of 4 KiB of its image a run writes and reads.
type guest struct {
	name   string
	size   int
	writes []int
	reads  []int
}

// guests are as programs were seen to be: a C program with a stack and some data, and a
// Go reactor after its initialisation.
func guests() []guest {
	random := rand.New(rand.NewPCG(1, 2))
	reactor := guest{name: "Go", size: 6 << 20}
	for _, i := range random.Perm(reactor.size / 4096)[:200] {
		if i%3 == 0 {
			reactor.reads = append(reactor.reads, i)
		} else {
			reactor.writes = append(reactor.writes, i)
		}
	}
	return []guest{{"C", 128 << 10, []int{0, 1, 15, 16, 17}, []int{2, 3}}, reactor}
}

// run does to a memory what the guest does, beside computing.
func (g guest) run(b []byte) (sum byte) {
	for _, i := range g.writes {
		b[i*4096+8]++
	}
	for _, i := range g.reads {
		sum += b[i*4096+16]
	}
	return sum
}

// fill is as the memory of a program: most of it is not zero.
func (g guest) fill(b []byte) {
	for i := range b {
		b[i] = byte(i * 7)
	}
}

// reserved is how much address space each memory has.
const reserved = 64 << 20

// mapping is address space which begins with a file.
func mapping(b *testing.B, file, size int) []byte {
	p, err := unix.MmapPtr(-1, 0, nil, reserved, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		b.Fatal(err)
	}
	remap(b, p, file, size)
	return unsafe.Slice((*byte)(p), reserved)
}

func remap(b *testing.B, p unsafe.Pointer, file, size int) {
	if _, err := unix.MmapPtr(file, 0, p, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED); err != nil {
		b.Fatal(err)
	}
}

func unmap(b *testing.B, space []byte) {
	if err := unix.MunmapPtr(unsafe.Pointer(&space[0]), uintptr(len(space))); err != nil {
		b.Fatal(err)
	}
}

// shared is a file of memory that has the guest's image, and a view of it.
func (g guest) shared(b *testing.B) (file int, view []byte) {
	file, err := unix.MemfdCreate("benchmark", unix.MFD_CLOEXEC)
	if err != nil {
		b.Fatal(err)
	}
	if err := unix.Ftruncate(file, int64(g.size)); err != nil {
		b.Fatal(err)
	}
	if view, err = unix.Mmap(file, 0, g.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		b.Fatal(err)
	}
	g.fill(view)
	b.Cleanup(func() {
		unix.Munmap(view)
		unix.Close(file)
	})
	return file, view
}

// A variant makes what a goroutine does for each run.
type variant struct {
	name string
	make func(b *testing.B, g guest) (once func(), end func())
}

var variants = []variant{
	{"map and unmap", func(b *testing.B, g guest) (once, end func()) {
		file, _ := g.shared(b)
		return func() {
			space := mapping(b, file, g.size)
			g.run(space)
			unmap(b, space)
		}, func() {}
	}},
	{"map anew", func(b *testing.B, g guest) (once, end func()) {
		file, _ := g.shared(b)
		space := mapping(b, file, g.size)
		return func() {
			g.run(space)
			remap(b, unsafe.Pointer(&space[0]), file, g.size)
		}, func() { unmap(b, space) }
	}},
	{"MADV_DONTNEED", func(b *testing.B, g guest) (once, end func()) {
		file, _ := g.shared(b)
		space := mapping(b, file, g.size)
		return func() {
			g.run(space)
			if err := unix.Madvise(space[:g.size], unix.MADV_DONTNEED); err != nil {
				b.Fatal(err)
			}
		}, func() { unmap(b, space) }
	}},
	{"map, MADV_POPULATE_WRITE, unmap", func(b *testing.B, g guest) (once, end func()) {
		file, _ := g.shared(b)
		return func() {
			space := mapping(b, file, g.size)
			for _, i := range g.writes {
				if err := unix.Madvise(space[i*4096:][:4096], unix.MADV_POPULATE_WRITE); err != nil {
					b.Fatal(err)
				}
			}
			g.run(space)
			unmap(b, space)
		}, func() {}
	}},
	{"copy all", func(b *testing.B, g guest) (once, end func()) {
		_, view := g.shared(b)
		space := make([]byte, g.size)
		return func() {
			g.run(space)
			copy(space, view)
		}, func() {}
	}},
	{"PAGEMAP_SCAN, copy back", func(b *testing.B, g guest) (once, end func()) {
		file, view := g.shared(b)
		space := mapping(b, file, g.size)
		table, err := os.Open("/proc/self/pagemap")
		if err != nil {
			b.Fatal(err)
		}
		parts := make([]part, g.size/4096)
		return func() {
			g.run(space)
			for _, p := range scan(b, table, space[:g.size], parts) {
				copy(space[p.start:p.end], view[p.start:p.end])
			}
		}, func() { unmap(b, space); table.Close() }
	}},
	{"this package, nothing kept", func(b *testing.B, g guest) (once, end func()) { return g.pooled(b, 0) }},
	{"this package, none kept that fits", func(b *testing.B, g guest) (once, end func()) { return g.pooled(b, 1) }},
	{"this package", func(b *testing.B, g guest) (once, end func()) { return g.pooled(b, 32<<20) }},
}

// pooled is a run as the package does it.
func (g guest) pooled(b *testing.B, kept int64) (once, end func()) {
	pool := memory.NewPool(kept)
	image, err := memory.NewImage(uint64(g.size), g.fill)
	if err != nil {
		b.Fatal(err)
	}
	return func() {
			m := pool.Memory(reserved, image)
			g.run(m.Allocate(page, reserved).Reallocate(uint64(g.size)))
			m.Free()
		}, func() {
			pool.Close()
			image.Close()
		}
}

// part is struct page_region of PAGEMAP_SCAN; its addresses are made offsets.
type part struct{ start, end, categories uint64 }

// scan asks which pages are not of a file, nor the page of zeros.
func scan(b *testing.B, table *os.File, space []byte, parts []part) []part {
	const (
		request = 0xc0606610 // _IOWR('f', 16, struct pm_scan_arg)
		file    = 1 << 2
		present = 1 << 3
		swapped = 1 << 4
		zeros   = 1 << 5
	)
	start := uint64(uintptr(unsafe.Pointer(&space[0])))
	arg := struct {
		size, flags, start, end, walkEnd, parts, partsLen, maxPages, inverted, all, any, wanted uint64
	}{
		size: 96, start: start, end: start + uint64(len(space)),
		parts: uint64(uintptr(unsafe.Pointer(&parts[0]))), partsLen: uint64(len(parts)),
		inverted: file | zeros, all: file | zeros, any: present | swapped,
	}
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, table.Fd(), request, uintptr(unsafe.Pointer(&arg)))
	if errno != 0 {
		b.Skip("PAGEMAP_SCAN: ", errno)
	}
	for i := range parts[:n] {
		parts[i].start -= start
		parts[i].end -= start
	}
	return parts[:n]
}

// BenchmarkImage is what a run pays for a memory that begins with an image, by the ways to
// make it so again after a run: the median in ns, of one goroutine and of two at once. The
// ways take turns, so that what else the machine does is the same for all.
func BenchmarkImage(b *testing.B) {
	for _, g := range guests() {
		for _, goroutines := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s-guest/goroutines=%d", g.name, goroutines), func(b *testing.B) {
				g.compare(b, goroutines)
			})
		}
	}
}

// turn is how many runs a way has before it is the next one's turn.
const turn = 5

func (g guest) compare(b *testing.B, goroutines int) {
	steps := make([][]func(), len(variants))
	for i, v := range variants {
		for range goroutines {
			once, end := v.make(b, g)
			defer end()
			steps[i] = append(steps[i], once)
		}
	}
	times := make([][]time.Duration, len(variants))
	for b.Loop() {
		for i := range variants {
			times[i] = append(times[i], timed(steps[i])/turn)
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, v := range variants {
		slices.Sort(times[i])
		b.ReportMetric(float64(times[i][len(times[i])/2]), strings.ReplaceAll(v.name, " ", "-"))
	}
}

// timed is how long all take that run at once, a turn each.
func timed(steps []func()) time.Duration {
	var group sync.WaitGroup
	start := time.Now()
	for _, once := range steps {
		group.Go(func() {
			for range turn {
				once()
			}
		})
	}
	group.Wait()
	return time.Since(start)
}
