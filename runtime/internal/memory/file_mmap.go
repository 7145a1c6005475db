//go:build linux || darwin || freebsd

package memory

import (
	"bytes"
	"errors"
	"os"

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

// write writes b, but for its pages of zeros, which take no memory then.
func write(descriptor int, b []byte) error {
	if err := unix.Ftruncate(descriptor, int64(len(b))); err != nil {
		return err
	}
	zero := make([]byte, os.Getpagesize())
	for at := 0; at < len(b); {
		n := min(len(zero), len(b)-at)
		if !bytes.Equal(b[at:at+n], zero[:n]) {
			written, err := unix.Pwrite(descriptor, b[at:at+n], int64(at))
			if err != nil && err != unix.EINTR {
				return err
			}
			n = max(written, 0)
		}
		at += n
	}
	return nil
}
