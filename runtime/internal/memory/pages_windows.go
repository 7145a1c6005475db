package memory

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// pages knows which pages of a region were written, which the system watches. See
// https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-getwritewatch.
type pages struct{ written *windows.LazyProc }

func openPages() *pages {
	return &pages{windows.NewLazySystemDLL("kernel32.dll").NewProc("GetWriteWatch")}
}

// touched appends which parts of the first bytes of a region may not be as at first.
func (p *pages) touched(spans []span, r *region, bytes uint64) []span {
	found, err := p.read(spans, r, bytes)
	if err != nil {
		return append(spans, span{0, bytes})
	}
	return found
}

// read appends which pages were written since the region was made or loaded.
func (p *pages) read(spans []span, r *region, bytes uint64) ([]span, error) {
	var addresses [512]uintptr
	base := uintptr(unsafe.Pointer(unsafe.SliceData(r.space)))
	for at := uint64(0); at < bytes; {
		count, size := uintptr(len(addresses)), uint32(0)
		part := min(bytes-at, uint64(len(addresses)*os.Getpagesize()))
		failed, _, _ := p.written.Call(0, base+uintptr(at), uintptr(part), uintptr(unsafe.Pointer(&addresses[0])), uintptr(unsafe.Pointer(&count)), uintptr(unsafe.Pointer(&size)))
		if failed != 0 {
			return nil, errors.New("the system does not tell what was written")
		}
		for _, address := range addresses[:count] {
			spans = appendPage(spans, uint64(address-base), uint64(size))
		}
		at += part
	}
	return spans, nil
}

func (*pages) close() {}

// populate would have the system supply pages at once.
func (*region) populate(span) {}
