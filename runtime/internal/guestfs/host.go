package guestfs

import (
	"io/fs"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

// A hostDirectory is a directory or a file of the host as one run sees it.
type hostDirectory struct {
	experimental.FS
	mount *Mount
}

// newDirectory returns the device of a directory of the host.
func newDirectory(open Directory) device {
	return func(m *Mount, at string) (experimental.FS, error) {
		fsys, release, err := open(hostfs.Run{
			Alive:   m.run.Alive,
			Allowed: func(path string) bool { return m.leads(absolute(at + "/" + path)) },
		})
		if err != nil {
			return nil, err
		}
		m.releases = append(m.releases, release)
		return hostDirectory{fsys, m}, nil
	}
}

// leads tells whether a link may lead to a path, a listing show it, or a directory that
// is moved hold it.
func (m *Mount) leads(to string) bool {
	if m.access.Allows(to) {
		return true
	}
	m.refuse("it leads to, or holds, "+to+": "+m.access.Lacks(to), experimental.EACCES)
	return false
}

// OpenFile opens a file or directory, which counts among the run's.
func (d hostDirectory) OpenFile(path string, flag experimental.Oflag, perm fs.FileMode) (experimental.File, experimental.Errno) {
	if d.mount.Full() {
		return nil, experimental.EAGAIN
	}
	file, e := d.FS.OpenFile(path, flag, perm)
	if e != 0 {
		return nil, e
	}
	d.mount.open++
	return &hostFile{File: file, mount: d.mount}, 0
}

// A hostFile is an open file of the host.
type hostFile struct {
	experimental.File
	mount  *Mount
	closed bool
}

// Write writes at the offset.
func (h *hostFile) Write(buf []byte) (int, experimental.Errno) {
	n, e := h.File.Write(buf)
	h.mount.errno = e
	return n, e
}

// Pwrite writes at off.
func (h *hostFile) Pwrite(buf []byte, off int64) (int, experimental.Errno) {
	n, e := h.File.Pwrite(buf, off)
	h.mount.errno = e
	return n, e
}

// Truncate changes the size.
func (h *hostFile) Truncate(size int64) experimental.Errno {
	e := h.File.Truncate(size)
	h.mount.errno = e
	return e
}

// Datasync has the system keep what was written, unless it is Mount.Ready that
// calls it.
func (h *hostFile) Datasync() experimental.Errno {
	if h.mount.polling {
		return 0
	}
	return h.File.Datasync()
}

// Close gives the descriptor back. Closing it again does nothing.
func (h *hostFile) Close() experimental.Errno {
	if h.closed {
		return 0
	}
	h.closed = true
	h.mount.open--
	return h.File.Close()
}
