//go:build linux || darwin || freebsd

package memory

import (
	"errors"

	"golang.org/x/sys/unix"
)

// A file is memory without a name that regions map.
type file struct {
	descriptor int
	bytes      []byte // of all of it, read only
}

// newFile makes a file of b.
func newFile(b []byte) (*file, error) {
	descriptor, err := unnamed(b)
	if err != nil {
		return nil, err
	}
	view, err := unix.Mmap(descriptor, 0, len(b), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(err, unix.Close(descriptor))
	}
	return &file{descriptor, view}, nil
}

// own is how many bytes a region takes for itself that maps the file, before any is written.
func (f *file) own() uint64 { return 0 }

func (f *file) close() error {
	return errors.Join(unix.Munmap(f.bytes), unix.Close(f.descriptor))
}

// write writes all of b.
func write(descriptor int, b []byte) error {
	for at := 0; at < len(b); {
		n, err := unix.Pwrite(descriptor, b[at:], int64(at))
		if err != nil && err != unix.EINTR {
			return err
		}
		at += max(n, 0)
	}
	return nil
}
