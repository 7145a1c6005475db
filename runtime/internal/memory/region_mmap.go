//go:build linux || darwin || freebsd

package memory

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A region is reserved address space, of which the first committed bytes can be
// used.
type region struct {
	space     []byte
	committed int
}

// reserve maps size bytes that cannot be accessed, which costs no memory.
func reserve(size uint64) (region, error) {
	if size > maxInt {
		return region{}, unix.ENOMEM
	}
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return region{}, err
	}
	return region{space: unsafe.Slice((*byte)(p), int(size))}, nil
}

// load has the region begin with the file of an image, which costs no memory for what
// is not written.
func (r *region) load(image *Image) error {
	if _, err := r.grow(image.end()); err != nil { // also what of the last page is not in the file
		return err
	}
	at := unsafe.Pointer(&r.space[image.first])
	_, err := unix.MmapPtr(image.file.descriptor, 0, at, uintptr(len(image.bytes)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	return err
}

// grow makes the first size bytes usable. The system supplies their pages, all
// zero, as they are touched.
func (r *region) grow(size uint64) ([]byte, error) {
	if size > uint64(len(r.space)) {
		return nil, unix.ENOMEM
	}
	if n := int(size); n > r.committed {
		if err := unix.Mprotect(r.space[r.committed:n], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return nil, err
		}
		r.committed = n
	}
	return r.space[:size:size], nil
}

// restore makes a part what it was at first. All of an image is mapped anew, for it is
// not known then what of it was written.
func (r *region) restore(image *Image, part span) error {
	if !image.within(part) {
		image.restore(r.space, part)
		return nil
	}
	clear(r.space[part.from:image.first])
	clear(r.space[image.first+uint64(len(image.bytes)) : part.to])
	return r.load(image)
}

// size is how much space there is.
func (r *region) size() uint64 { return uint64(len(r.space)) }

// free unmaps the region. Nothing can be done if the system fails at that.
func (r *region) free() {
	if len(r.space) > 0 {
		_ = unix.MunmapPtr(unsafe.Pointer(&r.space[0]), uintptr(len(r.space)))
	}
	*r = region{}
}
