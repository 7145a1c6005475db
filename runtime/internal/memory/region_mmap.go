//go:build linux || darwin || freebsd

package memory

import "golang.org/x/sys/unix"

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
	space, err := unix.Mmap(-1, 0, int(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	return region{space: space}, err
}

// grow makes the first size bytes usable. The system supplies their pages, all
// zero, as they are touched.
func (r *region) grow(size uint64) ([]byte, error) {
	if size > uint64(len(r.space)) {
		return nil, unix.ENOMEM
	}
	if n := int(size); n > r.committed {
		if err := unix.Mprotect(r.space[:n], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return nil, err
		}
		r.committed = n
	}
	return r.space[:size:size], nil
}

// size is how much space there is.
func (r *region) size() uint64 { return uint64(len(r.space)) }

// grown is how much memory the space takes at most.
func (r *region) grown() uint64 { return uint64(r.committed) }

// wipe makes the first n bytes, which must have been grown to, zero again.
func (r *region) wipe(n uint64) { clear(r.space[:n]) }

// free unmaps the region. Nothing can be done if the system fails at that.
func (r *region) free() {
	_ = unix.Munmap(r.space)
}
