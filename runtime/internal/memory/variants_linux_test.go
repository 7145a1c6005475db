package memory_test

import (
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

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

// systemVariants are those of Linux.
var systemVariants = []variant{
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
