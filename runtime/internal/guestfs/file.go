package guestfs

import (
	"io"
	"math"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// A position is an offset in a file. It has a name of its own only because go vet
// takes a Seek of an int64 for io.Seeker's, whose error is no Errno.
type position = int64

// A descriptor is what open files and directories have in common.
type descriptor struct {
	experimental.UnimplementedFile
	mount  *Mount
	stat   sys.Stat_t
	closed bool
}

// use begins an operation: it is EBADF on a closed descriptor.
func (d *descriptor) use() experimental.Errno {
	d.mount.run.Alive()
	if d.closed {
		return experimental.EBADF
	}
	return 0
}

// Dev is the device number.
func (d *descriptor) Dev() (uint64, experimental.Errno) { return d.stat.Dev, 0 }

// Ino is the inode.
func (d *descriptor) Ino() (sys.Inode, experimental.Errno) { return d.stat.Ino, 0 }

// Stat describes the file as it was when it was opened.
func (d *descriptor) Stat() (sys.Stat_t, experimental.Errno) { return d.stat, d.use() }

// Write is EBADF, for nothing is open for writing.
func (d *descriptor) Write([]byte) (int, experimental.Errno) { return 0, d.refuse(experimental.EBADF) }

// Pwrite is EBADF.
func (d *descriptor) Pwrite([]byte, int64) (int, experimental.Errno) {
	return 0, d.refuse(experimental.EBADF)
}

// Truncate is EROFS.
func (d *descriptor) Truncate(int64) experimental.Errno { return d.refuse(experimental.EROFS) }

// Utimens is EROFS.
func (d *descriptor) Utimens(int64, int64) experimental.Errno { return d.refuse(experimental.EROFS) }

func (d *descriptor) refuse(errno experimental.Errno) experimental.Errno {
	d.mount.run.Alive()
	return errno
}

// Close gives the descriptor back. Closing it again does nothing.
func (d *descriptor) Close() experimental.Errno {
	if !d.closed {
		d.closed = true
		d.mount.open--
	}
	return 0
}

// A content is an open file or document.
type content struct {
	descriptor
	data     []byte
	document bool
	append   bool
	offset   int64
}

// Read reads from the offset on, and moves it.
func (c *content) Read(buf []byte) (int, experimental.Errno) {
	n, errno := c.Pread(buf, c.offset)
	c.offset += int64(n)
	return n, errno
}

// Pread reads from off on.
func (c *content) Pread(buf []byte, off int64) (int, experimental.Errno) {
	errno := c.use()
	switch {
	case errno != 0:
		return 0, errno
	case off < 0:
		return 0, experimental.EINVAL
	case off >= int64(len(c.data)):
		return 0, 0
	}
	return copy(buf, c.data[off:]), 0
}

// Seek moves the offset, beyond the end too.
func (c *content) Seek(offset position, whence int) (position, experimental.Errno) {
	if errno := c.use(); errno != 0 {
		return 0, errno
	}
	var base int64
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		base = c.offset
	case io.SeekEnd:
		base = int64(len(c.data))
	default:
		return 0, experimental.EINVAL
	}
	if offset < -base || offset > math.MaxInt64-base {
		return 0, experimental.EINVAL
	}
	c.offset = base + offset
	return c.offset, 0
}

// SetAppend remembers a flag that has no effect on reading.
func (c *content) SetAppend(enable bool) experimental.Errno {
	c.append = enable
	return c.use()
}

// IsAppend tells what SetAppend was told.
func (c *content) IsAppend() bool { return c.append }

// Close gives the bytes of a document back too.
func (c *content) Close() experimental.Errno {
	if c.document && !c.closed {
		c.mount.documents -= int64(len(c.data))
	}
	return c.descriptor.Close()
}

// A directory is an open directory.
type directory struct {
	descriptor
	node *node
	next int // the first entry that was not yet listed
}

// IsDir is true.
func (d *directory) IsDir() (bool, experimental.Errno) { return true, 0 }

// SetAppend is EISDIR.
func (d *directory) SetAppend(bool) experimental.Errno { return experimental.EISDIR }

// Read is EISDIR.
func (d *directory) Read([]byte) (int, experimental.Errno) { return 0, d.refuse(experimental.EISDIR) }

// Pread is EISDIR.
func (d *directory) Pread([]byte, int64) (int, experimental.Errno) {
	return 0, d.refuse(experimental.EISDIR)
}

// Seek rewinds the listing; nothing else can be sought in a directory.
func (d *directory) Seek(offset position, whence int) (position, experimental.Errno) {
	if errno := d.use(); errno != 0 {
		return 0, errno
	}
	if offset != 0 || whence != io.SeekStart {
		return 0, experimental.EINVAL
	}
	d.next = 0
	return 0, 0
}

// Readdir lists the next entries, at most n of them if n is positive.
func (d *directory) Readdir(n int) ([]experimental.Dirent, experimental.Errno) {
	if errno := d.use(); errno != 0 {
		return nil, errno
	}
	rest := d.node.entries[d.next:]
	if n > 0 && n < len(rest) {
		rest = rest[:n]
	}
	d.next += len(rest)
	list := make([]experimental.Dirent, len(rest))
	for i, e := range rest {
		list[i] = experimental.Dirent{Ino: e.inode, Name: e.name, Type: e.stat().Mode.Type()}
	}
	return list, 0
}
