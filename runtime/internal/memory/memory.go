// Package memory gives each run of a guest a linear memory of its own.
//
// A memory never exceeds the limit that it was made with. It begins with the bytes of
// an Image, if it was made with one, and is zero beyond them. It takes from the system
// what the guest grew it to and no more: where the operating system can, the address
// space is reserved at once and pages are committed as the memory grows, so that growing
// copies nothing. What the system refuses is an error of that run. What a run wrote is
// never seen in another memory, nor in the image. Free gives everything back.
//
// A large image is mapped where the system can, so that a memory shares with all others
// those of its pages which its run does not write; a small one is copied.
//
// A Pool keeps memories that were freed, up to a size, and gives them to later runs, as
// they were before the first: having the system supply pages is most of what a small
// run takes.
//
// A Memory belongs to one run and is not safe for concurrent use; distinct
// memories are independent. Pools and images are safe for concurrent use.
package memory

import (
	"errors"
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
	pool  *Pool
	limit uint64
	image *Image
	space *space // nil when the memory has none
	peak  uint64
	err   error
}

// Allocate reserves address space for a memory of at most most bytes, as far as
// the limit allows, which begins with the image. Where the system has not that much
// left, it takes what there is; then growing fails earlier.
func (m *Memory) Allocate(least, most uint64) experimental.LinearMemory {
	size := min(most, m.limit)
	least = max(least, m.image.Size())
	switch {
	case least > size:
		m.err = overLimit(least, size)
	case !m.image.hold():
		m.err = errors.New("the image of the memory is closed")
	default:
		if m.space, m.err = m.pool.space(m.image, least, size); m.err != nil {
			m.image.release()
		}
	}
	return m
}

func overLimit(size, limit uint64) error {
	return fmt.Errorf("a memory of %d bytes is over the limit of %d bytes", size, limit)
}

// Reallocate grows the memory to size bytes and returns it whole. It is nil if
// that is beyond the limit or the system refuses; Err then says why.
func (m *Memory) Reallocate(size uint64) []byte {
	buffer, err := m.grow(size)
	if err == nil {
		m.peak = max(m.peak, size)
		return buffer
	}
	m.err = err
	if m.peak == 0 { // no instance comes of it that would free the memory
		m.Free()
	}
	return nil
}

func (m *Memory) grow(size uint64) ([]byte, error) {
	switch {
	case size > m.limit:
		return nil, overLimit(size, m.limit)
	case m.space == nil && m.err != nil:
		return nil, m.err
	case m.space == nil:
		return nil, errors.New("the memory is freed")
	}
	buffer, err := m.space.grow(size)
	if err != nil {
		return nil, fmt.Errorf("the system refuses a memory of %d bytes: %w", size, err)
	}
	return buffer, nil
}

// Restore makes the memory what it was when it began, at the size that it has, for
// another run. After an error it must be freed.
func (m *Memory) Restore() error {
	used := max(m.peak, m.image.end())
	m.space.survey(m.pool.pages, used)
	return m.space.restore(m.image, used)
}

// Takes is about how many bytes of memory are the memory's own when it is restored. Until
// it was restored for the first time nobody knows: all of it may be.
func (m *Memory) Takes() int64 {
	if m.space == nil {
		return 0
	}
	if m.space.takes > 0 {
		return int64(m.space.takes)
	}
	return int64(m.peak + overhead)
}

// Free gives the memory back. It may be called more than once.
func (m *Memory) Free() {
	if m.space != nil {
		m.pool.put(m.space, max(m.peak, m.image.end()))
		m.image.release()
	}
	m.space = nil
}

// Discard gives the memory back to the system, and none of it to another memory. All of one
// that was read as a whole counts as written, and would each time that it was given back.
func (m *Memory) Discard() {
	if m.space != nil {
		m.space.free()
		m.image.release()
	}
	m.space = nil
}

// Peak is the largest size that the memory had, in bytes.
func (m *Memory) Peak() int64 { return int64(m.peak) }

// Err is why the memory was last refused; nil if it never was.
func (m *Memory) Err() error { return m.err }
