package memory

import (
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

// grown is how much memory the space takes at most.
func (r *region) grown() uint64 { return uint64(r.committed) }

// wipe makes the first n bytes, which must have been grown to, zero again.
func (r *region) wipe(n uint64) { clear(r.space[:n]) }

// free releases the region. Nothing can be done if the system fails at that.
func (r *region) free() {
	_ = windows.VirtualFree(uintptr(unsafe.Pointer(&r.space[0])), 0, windows.MEM_RELEASE)
}
