package memory

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A region is reserved address space, of which the first committed bytes can be
// used.
type region struct {
	space     []byte
	committed int
}

// reserve takes size bytes of address space, which costs no memory.
func reserve(size uint64) (region, error) {
	if size > maxInt {
		return region{}, windows.ERROR_NOT_ENOUGH_MEMORY
	}
	address, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE, windows.PAGE_NOACCESS)
	if err != nil {
		return region{}, err
	}
	// The address is not of Go's heap, so that it may be made a pointer.
	pointer := *(*unsafe.Pointer)(unsafe.Pointer(&address))
	return region{space: unsafe.Slice((*byte)(pointer), int(size))}, nil
}

// grow commits the first size bytes. The system supplies their pages, all zero,
// as they are touched.
func (r *region) grow(size uint64) ([]byte, error) {
	if size > uint64(len(r.space)) {
		return nil, windows.ERROR_NOT_ENOUGH_MEMORY
	}
	if n := int(size); n > r.committed {
		start := uintptr(unsafe.Pointer(&r.space[r.committed]))
		if _, err := windows.VirtualAlloc(start, uintptr(n-r.committed), windows.MEM_COMMIT, windows.PAGE_READWRITE); err != nil {
			return nil, err
		}
		r.committed = n
	}
	return r.space[:size:size], nil
}

// size is how much space there is.
func (r *region) size() uint64 { return uint64(len(r.space)) }

// load is not called, for no image is mapped.
func (r *region) load(*Image) error { return errors.ErrUnsupported }

// restore makes a part what it was at first.
func (r *region) restore(image *Image, part span) error {
	image.restore(r.space, part)
	return nil
}

// free releases the region. Nothing can be done if the system fails at that.
func (r *region) free() {
	if len(r.space) == 0 {
		return
	}
	_ = windows.VirtualFree(uintptr(unsafe.Pointer(&r.space[0])), 0, windows.MEM_RELEASE)
}
