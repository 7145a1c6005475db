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
	address, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE|windows.MEM_WRITE_WATCH, windows.PAGE_NOACCESS)
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

// load copies an image. To copy is not to write, as far as is watched.
func (r *region) load(image *Image) error {
	b, err := r.grow(image.end())
	if err != nil {
		return err
	}
	copy(b[image.first:], image.bytes)
	reset := windows.NewLazySystemDLL("kernel32.dll").NewProc("ResetWriteWatch")
	if failed, _, _ := reset.Call(uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))); failed != 0 {
		return errors.New("the system does not watch what is written")
	}
	return nil
}

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
