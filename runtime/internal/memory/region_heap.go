//go:build !linux && !darwin && !freebsd && !windows

package memory

import "errors"

// A region is memory of Go's heap; growing it copies.
type region struct {
	most  uint64
	space []byte
}

// reserve takes nothing yet, for the heap cannot reserve.
func reserve(size uint64) (region, error) { return region{most: size}, nil }

// grow returns a slice of size bytes that begins with what the region held.
func (r *region) grow(size uint64) ([]byte, error) {
	if size > r.most || size > maxInt {
		return nil, errors.New("out of memory")
	}
	if size > uint64(len(r.space)) {
		space := make([]byte, size)
		copy(space, r.space)
		r.space = space
	}
	return r.space[:size:size], nil
}

// size is how much space there can be.
func (r *region) size() uint64 { return r.most }

// grown is how much memory the space takes at most.
func (r *region) grown() uint64 { return uint64(len(r.space)) }

// wipe makes the first n bytes, which must have been grown to, zero again.
func (r *region) wipe(n uint64) { clear(r.space[:n]) }

// free leaves the slice to the garbage collector.
func (r *region) free() {}
