// Package memory gives each run of a guest a linear memory of its own.
//
// A memory never exceeds the limit that it was made with, is zero where nothing
// was written, and takes from the system what the guest grew it to and no more:
// where the operating system can, the address space is reserved at once and
// pages are committed as the memory grows, so that growing copies nothing. What
// the system refuses is an error of that run. Free gives everything back.
//
// A Memory belongs to one run and is not safe for concurrent use; distinct
// memories are independent.
package memory

import (
	"fmt"
	"math"

	"github.com/tetratelabs/wazero/experimental"
)

// page is the unit in which WebAssembly sizes memory, in bytes.
const page = 64 << 10

// maxInt is the largest length of a slice.
const maxInt = uint64(math.MaxInt)

// A Memory is the linear memory of one run. It is wazero's MemoryAllocator and,
// as a module has at most one memory, the LinearMemory that this allocates.
type Memory struct {
	limit  uint64
	region region
	peak   uint64
	err    error
}

// New returns a memory of no size that can grow to limit bytes, rounded down to
// whole pages of 64 KiB.
func New(limit int64) *Memory {
	return &Memory{limit: uint64(max(limit, 0)) / page * page}
}

// Allocate reserves address space for a memory of at most most bytes, as far as
// the limit allows. Where the system has not that much left, it takes what there
// is; then growing fails earlier.
func (m *Memory) Allocate(least, most uint64) experimental.LinearMemory {
	for size := min(most, m.limit); size > 0 && size >= least; size = size / 2 / page * page {
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
	m.region.free()
	m.region = region{}
}

// Peak is the largest size that the memory had, in bytes.
func (m *Memory) Peak() int64 { return int64(m.peak) }

// Err is why the memory was last refused; nil if it never was.
func (m *Memory) Err() error { return m.err }
