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

// load is not called, for no image is mapped.
func (r *region) load(*Image) error { return errors.ErrUnsupported }

// restore makes a part what it was at first.
func (r *region) restore(image *Image, part span) error {
	image.restore(r.space, part)
	return nil
}

// free leaves the slice to the garbage collector.
func (r *region) free() {}
