package guestfs

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// A Run is what a Mount knows of the run that it belongs to.
type Run struct {
	// Context is the run's; facts are read under it. wazero's file system has
	// no context in its calls, which is why it is kept here.
	Context context.Context
	// Alive is called at the start of every operation, and panics if the run is
	// to end.
	Alive func()
	// OpenFiles is the most files that are open at one time.
	OpenFiles int
	// FactFailed hears why a fact could not be opened; the guest sees EIO. Nil
	// hears nothing.
	FactFailed func(path string, err error)
}

// A Mount is a Root as one run sees it: wazero's file system.
type Mount struct {
	experimental.UnimplementedFS
	top   *node
	run   Run
	open  int   // files that are open
	facts int64 // the bytes of the open facts
}

// Mount returns the tree for one run. A nil Root has no files.
func (r *Root) Mount(run Run) *Mount {
	if r == nil {
		return &Mount{top: emptyTop(), run: run}
	}
	return &Mount{top: r.top, run: run}
}

// Full tells whether no more file can be opened.
func (m *Mount) Full() bool { return m.open >= m.run.OpenFiles }

// attempt is what every path passes that the guest tries, for whatever purpose.
func (m *Mount) attempt(path string, do func() experimental.Errno) experimental.Errno {
	m.run.Alive()
	if len(path) > MaxPath {
		return experimental.ENAMETOOLONG
	}
	return do()
}

// writes are the flags of an open that would change something.
const writes = experimental.O_RDWR | experimental.O_WRONLY | experimental.O_CREAT | experimental.O_EXCL | experimental.O_TRUNC

// OpenFile opens a file for reading or a directory for listing.
func (m *Mount) OpenFile(path string, flag experimental.Oflag, _ fs.FileMode) (file experimental.File, errno experimental.Errno) {
	errno = m.attempt(path, func() experimental.Errno {
		if flag&writes != 0 {
			return experimental.EROFS
		}
		n, errno := m.top.walk(path)
		switch {
		case errno != 0:
			return errno
		case flag&experimental.O_DIRECTORY != 0 && !n.dir:
			return experimental.ENOTDIR
		case m.Full():
			return experimental.EAGAIN
		}
		file, errno = m.openNode(n)
		return errno
	})
	return file, errno
}

func (m *Mount) openNode(n *node) (experimental.File, experimental.Errno) {
	if n.dir {
		m.open++
		return &directory{descriptor: descriptor{mount: m, stat: n.stat()}, node: n}, 0
	}
	data, stat := n.data, n.stat()
	if n.fact != nil {
		var errno experimental.Errno
		if data, errno = m.read(n); errno != 0 {
			return nil, errno
		}
		stat.Size = int64(len(data))
		m.facts += stat.Size
	}
	m.open++
	return &content{descriptor: descriptor{mount: m, stat: stat}, data: data, fact: n.fact != nil}, 0
}

// read reads a fact.
func (m *Mount) read(n *node) ([]byte, experimental.Errno) {
	data, err := n.fact(m.run.Context)
	m.run.Alive()
	if err == nil && m.facts+int64(len(data)) > MaxFacts {
		err = fmt.Errorf("%d bytes, with %d bytes of facts open: over the limit of %d bytes", len(data), m.facts, MaxFacts)
	}
	if err != nil {
		if m.run.FactFailed != nil {
			m.run.FactFailed("/"+facts+"/"+n.name, err)
		}
		return nil, experimental.EIO
	}
	return data, 0
}

// Stat describes a file. There are no symbolic links, so that Lstat is the same.
func (m *Mount) Stat(path string) (stat sys.Stat_t, errno experimental.Errno) {
	errno = m.attempt(path, func() experimental.Errno {
		n, errno := m.top.walk(path)
		if errno == 0 {
			stat = n.stat()
		}
		return errno
	})
	return stat, errno
}

// Lstat is Stat.
func (m *Mount) Lstat(path string) (sys.Stat_t, experimental.Errno) { return m.Stat(path) }

// Readlink is EINVAL for whatever exists, as it is no symbolic link.
func (m *Mount) Readlink(path string) (string, experimental.Errno) {
	return "", m.attempt(path, func() experimental.Errno {
		if _, errno := m.top.walk(path); errno != 0 {
			return errno
		}
		return experimental.EINVAL
	})
}

// refuse answers whatever would change the file system.
func (m *Mount) refuse(path string) experimental.Errno {
	return m.attempt(path, func() experimental.Errno { return experimental.EROFS })
}

// Mkdir is EROFS, as are all the following.
func (m *Mount) Mkdir(path string, _ fs.FileMode) experimental.Errno { return m.refuse(path) }

// Chmod is EROFS.
func (m *Mount) Chmod(path string, _ fs.FileMode) experimental.Errno { return m.refuse(path) }

// Rename is EROFS.
func (m *Mount) Rename(from, to string) experimental.Errno {
	return cmp.Or(m.refuse(from), m.refuse(to))
}

// Rmdir is EROFS.
func (m *Mount) Rmdir(path string) experimental.Errno { return m.refuse(path) }

// Unlink is EROFS.
func (m *Mount) Unlink(path string) experimental.Errno { return m.refuse(path) }

// Link is EROFS.
func (m *Mount) Link(from, to string) experimental.Errno { return cmp.Or(m.refuse(from), m.refuse(to)) }

// Symlink is EROFS. The text of the link is no path that is tried.
func (m *Mount) Symlink(_, path string) experimental.Errno { return m.refuse(path) }

// Utimens is EROFS.
func (m *Mount) Utimens(path string, _, _ int64) experimental.Errno { return m.refuse(path) }
