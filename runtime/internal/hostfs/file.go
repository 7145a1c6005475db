package hostfs

import (
	"io"
	"io/fs"
	"math"
	"os"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// A position is an offset in a file. It has a name of its own only because go vet
// takes a Seek of an int64 for io.Seeker's, whose error is no Errno.
type position = int64

// A descriptor is what open files and directories have in common.
type descriptor struct {
	experimental.UnimplementedFile
	view  *view
	host  *os.File
	info  fs.FileInfo // as it was opened: which file it is
	path  string      // as it was opened
	inode sys.Inode
	shut  bool
}

// use begins an operation: it is EBADF on a closed descriptor.
func (d *descriptor) use() experimental.Errno {
	d.view.run.Alive()
	if d.shut {
		return experimental.EBADF
	}
	return 0
}

// Dev is the device number.
func (d *descriptor) Dev() (uint64, experimental.Errno) { return d.view.dir.device, 0 }

// Ino is the inode.
func (d *descriptor) Ino() (sys.Inode, experimental.Errno) { return d.inode, 0 }

// Stat describes the file as it is now.
func (d *descriptor) Stat() (sys.Stat_t, experimental.Errno) {
	if errno := d.use(); errno != 0 {
		return sys.Stat_t{}, errno
	}
	info, err := d.host.Stat()
	if err != nil {
		return sys.Stat_t{}, errnoOf(err)
	}
	return d.view.dir.stat(info, d.inode), 0
}

// Sync waits until the host has stored what was written.
func (d *descriptor) Sync() experimental.Errno {
	if errno := d.use(); errno != 0 || !d.view.dir.writable {
		return errno
	}
	return flush(d.host)
}

// Datasync is Sync.
func (d *descriptor) Datasync() experimental.Errno { return d.Sync() }

// Utimens sets the times of the file. It is ENOENT if that has not its name any
// more, for the host sets times by name.
func (d *descriptor) Utimens(atim, mtim int64) experimental.Errno {
	if errno := d.use(); errno != 0 {
		return errno
	}
	return d.view.change(d.path, true, func(p place) experimental.Errno {
		if p.info == nil || !os.SameFile(p.info, d.info) {
			return experimental.ENOENT
		}
		return p.setTimes(atim, mtim)
	})
}

// A file is an open file.
type file struct {
	descriptor
	reads, writes, append bool
	offset                int64
	gone                  bool // its name was removed; the ledger's
}

// Readdir is ENOTDIR.
func (f *file) Readdir(int) ([]experimental.Dirent, experimental.Errno) {
	return nil, experimental.ENOTDIR
}

// IsAppend tells whether writes go to the end.
func (f *file) IsAppend() bool { return f.append }

// SetAppend has writes go to the end, or to the offset.
func (f *file) SetAppend(enable bool) experimental.Errno {
	f.append = enable
	return f.use()
}

// Read reads from the offset on, and moves it.
func (f *file) Read(buf []byte) (int, experimental.Errno) {
	n, errno := f.Pread(buf, f.offset)
	f.offset += int64(n)
	return n, errno
}

// Pread reads from off on.
func (f *file) Pread(buf []byte, off int64) (int, experimental.Errno) {
	errno := f.use()
	switch {
	case errno != 0:
		return 0, errno
	case !f.reads:
		return 0, experimental.EBADF
	case off < 0:
		return 0, experimental.EINVAL
	}
	n, err := f.host.ReadAt(buf, off)
	if n > 0 || err == io.EOF {
		return n, 0
	}
	return 0, errnoOf(err)
}

// Write writes at the offset, or at the end, and moves the offset behind it. It
// writes less where the quota ends, and is EDQUOT where that is nothing.
func (f *file) Write(buf []byte) (int, experimental.Errno) {
	return f.write(buf, &f.offset, f.append)
}

// Pwrite writes at off.
func (f *file) Pwrite(buf []byte, off int64) (int, experimental.Errno) {
	return f.write(buf, &off, false)
}

// write writes at the offset, and moves it.
func (f *file) write(buf []byte, offset *int64, append bool) (int, experimental.Errno) {
	if errno := f.writable(*offset); errno != 0 {
		return 0, errno
	}
	l := &f.view.dir.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := f.host.Stat()
	if err != nil {
		return 0, errnoOf(err)
	}
	size := info.Size()
	if append {
		*offset = size
	}
	if len(buf) == 0 {
		return 0, 0
	}
	if *offset > math.MaxInt64-int64(len(buf)) {
		return 0, experimental.EINVAL
	}
	buf = buf[:l.fitting(int64(len(buf)), *offset-size)]
	if len(buf) == 0 {
		return 0, EDQUOT
	}
	n, err := f.host.WriteAt(buf, *offset)
	*offset += int64(n)
	l.add(0, max(0, *offset-size))
	if n > 0 {
		return n, 0
	}
	return 0, errnoOf(err)
}

// writable begins an operation that changes the file at an offset.
func (f *file) writable(offset int64) experimental.Errno {
	errno := f.use()
	switch {
	case errno != 0:
		return errno
	case !f.view.dir.writable:
		return experimental.EROFS
	case !f.writes:
		return experimental.EBADF
	case offset < 0:
		return experimental.EINVAL
	}
	return 0
}

// Truncate sets the size.
func (f *file) Truncate(size int64) experimental.Errno {
	if errno := f.writable(size); errno != 0 {
		return errno
	}
	f.view.dir.mu.Lock()
	defer f.view.dir.mu.Unlock()
	return f.truncate(size)
}

// truncate is Truncate for whom holds the ledger.
func (f *file) truncate(size int64) experimental.Errno {
	info, err := f.host.Stat()
	if err != nil {
		return errnoOf(err)
	}
	growth := size - info.Size()
	if growth > 0 && growth > f.view.dir.free() {
		return EDQUOT
	}
	if err := f.host.Truncate(size); err != nil {
		return errnoOf(err)
	}
	f.view.dir.add(0, growth)
	return 0
}

// Seek moves the offset, beyond the end too.
func (f *file) Seek(offset position, whence int) (position, experimental.Errno) {
	if errno := f.use(); errno != 0 {
		return 0, errno
	}
	var base int64
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		base = f.offset
	case io.SeekEnd:
		info, err := f.host.Stat()
		if err != nil {
			return 0, errnoOf(err)
		}
		base = info.Size()
	default:
		return 0, experimental.EINVAL
	}
	if offset < -base || offset > math.MaxInt64-base {
		return 0, experimental.EINVAL
	}
	f.offset = base + offset
	return f.offset, 0
}

// Close closes the file. Closing it again does nothing.
func (f *file) Close() experimental.Errno {
	if f.shut {
		return 0
	}
	f.shut = true
	f.view.dir.mu.Lock()
	defer f.view.dir.mu.Unlock()
	f.view.dir.closed(f)
	return errnoOf(f.host.Close())
}
