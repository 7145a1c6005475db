package guestfs

import (
	"io/fs"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// A tree is a module's zip, with the documents that it was granted, as one run
// sees it.
type tree struct {
	fixed
	mount *Mount
	top   *node
}

// writes are the flags of an open that would change something.
const writes = experimental.O_RDWR | experimental.O_WRONLY | experimental.O_CREAT | experimental.O_EXCL | experimental.O_TRUNC

// OpenFile opens a file for reading or a directory for listing.
func (t *tree) OpenFile(path string, flag experimental.Oflag, _ fs.FileMode) (experimental.File, experimental.Errno) {
	if flag&writes != 0 {
		return nil, experimental.EROFS
	}
	n, errno := t.top.walk(path)
	switch {
	case errno != 0:
		return nil, errno
	case flag&experimental.O_DIRECTORY != 0 && !n.dir:
		return nil, experimental.ENOTDIR
	case t.mount.Full():
		return nil, experimental.EAGAIN
	case n.dir:
		return &directory{descriptor: t.mount.descriptor(n.stat()), node: n}, 0
	case n.document != nil:
		return t.openDocument(n)
	}
	return &content{descriptor: t.mount.descriptor(n.stat()), data: n.data}, 0
}

// openDocument reads a document, which the descriptor shows from then on.
func (t *tree) openDocument(n *node) (experimental.File, experimental.Errno) {
	data, err := n.document(t.mount.run.Context)
	t.mount.run.Alive()
	if err == nil {
		err = t.mount.keep(data)
	}
	if err != nil {
		t.mount.fails(err)
		return nil, experimental.EIO
	}
	stat := n.stat()
	stat.Size = int64(len(data))
	return &content{descriptor: t.mount.descriptor(stat), data: data, document: true}, 0
}

// Stat describes a file.
func (t *tree) Stat(path string) (sys.Stat_t, experimental.Errno) {
	n, errno := t.top.walk(path)
	if errno != 0 {
		return sys.Stat_t{}, errno
	}
	return n.stat(), 0
}

// Lstat is Stat, for there are no symbolic links.
func (t *tree) Lstat(path string) (sys.Stat_t, experimental.Errno) { return t.Stat(path) }

// Readlink is EINVAL for whatever exists, as it is no symbolic link.
func (t *tree) Readlink(path string) (string, experimental.Errno) {
	if _, errno := t.top.walk(path); errno != 0 {
		return "", errno
	}
	return "", experimental.EINVAL
}
