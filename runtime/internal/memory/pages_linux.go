package memory

import (
	"encoding/binary"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pages knows which pages of the process are its own, from the system's table of them.
// See https://docs.kernel.org/admin-guide/mm/pagemap.html.
type pages struct {
	table *os.File // nil if it cannot be had
	size  uint64
}

// The bits of an entry of the table.
const (
	present = 1 << 63
	swapped = 1 << 62
	shared  = 1 << 61 // of a file, and not copied yet
)

// openPages finds the table, and tries whether it is that of this process, which it is
// not under an emulator.
func openPages() *pages {
	table, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return &pages{}
	}
	p := &pages{table, uint64(os.Getpagesize())}
	if !p.tried() {
		table.Close()
		return &pages{}
	}
	return p
}

// tried writes to the second of four pages and looks whether the table says so.
func (p *pages) tried() bool {
	r, err := reserve(4 * p.size)
	if err != nil {
		return false
	}
	defer r.free()
	b, err := r.grow(r.size())
	if err != nil {
		return false
	}
	b[p.size] = 1
	spans, err := p.read(nil, &r, r.size())
	return err == nil && len(spans) == 1 && spans[0] == span{p.size, 2 * p.size}
}

// touched appends which parts of the first bytes of a region may not be as at first.
func (p *pages) touched(spans []span, r *region, bytes uint64) []span {
	if p.table == nil {
		return append(spans, span{0, bytes})
	}
	found, err := p.read(spans, r, bytes)
	if err != nil {
		return append(spans, span{0, bytes})
	}
	return found
}

// read appends which pages the process has for itself.
func (p *pages) read(spans []span, r *region, bytes uint64) ([]span, error) {
	var buffer [8 * 512]byte
	first := uint64(uintptr(unsafe.Pointer(&r.space[0]))) / p.size
	for at, end := uint64(0), (bytes+p.size-1)/p.size; at < end; {
		entries := buffer[:8*min(end-at, 512)]
		if _, err := p.table.ReadAt(entries, int64(8*(first+at))); err != nil {
			return nil, err
		}
		for ; len(entries) > 0; at, entries = at+1, entries[8:] {
			if e := binary.NativeEndian.Uint64(entries); e&(present|swapped) != 0 && e&shared == 0 {
				spans = appendPage(spans, at*p.size, p.size)
			}
		}
	}
	return spans, nil
}

// populate has the system supply the pages of a part at once, as if each were written: that
// takes less time than when each is waited for. Before Linux 5.14 it does nothing.
func (r *region) populate(part span) {
	if to := min(part.to, uint64(r.committed)); part.from < to {
		_ = unix.Madvise(r.space[part.from:to], unix.MADV_POPULATE_WRITE)
	}
}

func (p *pages) close() {
	if p.table != nil {
		p.table.Close()
	}
}
