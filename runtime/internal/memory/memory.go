// Package memory gives each run of a guest a linear memory of its own.
//
// A memory never exceeds the limit that it was made with, is zero where nothing
// was written, and takes from the system what the guest grew it to and no more:
// where the operating system can, the address space is reserved at once and
// pages are committed as the memory grows, so that growing copies nothing. What
// the system refuses is an error of that run. Free gives everything back.
//
// A Pool keeps memories that were freed, up to a size, and gives them to later runs,
// wiped: having the system supply pages is most of what a small run takes.
//
// A Memory belongs to one run and is not safe for concurrent use; distinct
// memories are independent. A Pool is safe for concurrent use.
package memory

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

// page is the unit in which WebAssembly sizes memory, in bytes.
const page = 64 << 10

// maxInt is the largest length of a slice.
const maxInt = uint64(math.MaxInt)

// A Pool makes memories and keeps some that were freed, up to a sum of their sizes.
type Pool struct {
	mu   sync.Mutex
	free []region
	room uint64 // how many bytes more can be kept
}

// NewPool returns a pool that keeps at most so many bytes.
func NewPool(bytes int64) *Pool { return &Pool{room: uint64(max(bytes, 0))} }

// Memory returns a memory of no size that can grow to limit bytes, rounded down to
// whole pages of 64 KiB.
func (p *Pool) Memory(limit int64) *Memory {
	return &Memory{pool: p, limit: uint64(max(limit, 0)) / page * page}
}

// take returns space for size bytes that was kept, the last that was freed, if
// there is any.
func (p *Pool) take(size uint64) (region, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, r := range slices.Backward(p.free) {
		if r.size() >= size {
			p.free = slices.Delete(p.free, i, i+1)
			p.room += r.grown()
			return r, true
		}
	}
	return region{}, false
}

// put keeps space of which used bytes were used, or frees it.
func (p *Pool) put(r region, used uint64) {
	if !p.fits(r) {
		r.free()
		return
	}
	r.wipe(used)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, r)
}

// fits takes the room for a region, if there is enough.
func (p *Pool) fits(r region) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.grown() > p.room {
		return false
	}
	p.room -= r.grown()
	return true
}

// Close frees what is kept, and has nothing be kept any more.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.free {
		r.free()
	}
	p.free, p.room = nil, 0
}

// A Memory is the linear memory of one run. It is wazero's MemoryAllocator and,
// as a module has at most one memory, the LinearMemory that this allocates.
type Memory struct {
	pool   *Pool
	limit  uint64
	region region
	peak   uint64
	err    error
}

// Allocate reserves address space for a memory of at most most bytes, as far as
// the limit allows. Where the system has not that much left, it takes what there
// is; then growing fails earlier.
func (m *Memory) Allocate(least, most uint64) experimental.LinearMemory {
	size := min(most, m.limit)
	var kept bool
	if m.region, kept = m.pool.take(size); kept {
		return m
	}
	for ; size > 0 && size >= least; size = size / 2 / page * page {
		if m.region, m.err = reserve(size); m.err == nil {
			break
		}
	}
	return m
}

// Reallocate grows the memory to size bytes and returns it whole. It is nil if
// that is beyond the limit or the system refuses; Err then says why.
func (m *Memory) Reallocate(size uint64) []byte {
	if size > m.limit {
		m.err = fmt.Errorf("a memory of %d bytes is over the limit of %d bytes", size, m.limit)
		return nil
	}
	buffer, err := m.region.grow(size)
	if err != nil {
		m.err = fmt.Errorf("the system refuses a memory of %d bytes: %w", size, err)
		return nil
	}
	m.peak = max(m.peak, size)
	return buffer
}

// Free gives the memory back. It may be called more than once.
func (m *Memory) Free() {
	if m.region.size() > 0 {
		m.pool.put(m.region, m.peak)
	}
	m.region = region{}
}

// Peak is the largest size that the memory had, in bytes.
func (m *Memory) Peak() int64 { return int64(m.peak) }

// Err is why the memory was last refused; nil if it never was.
func (m *Memory) Err() error { return m.err }
