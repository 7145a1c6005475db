package hostfs

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// A view is a Dir as one run sees it: wazero's file system.
type view struct {
	experimental.UnimplementedFS
	dir *Dir
	run Run
}

// writes are the flags of an open that would change something.
const writes = experimental.O_RDWR | experimental.O_WRONLY | experimental.O_APPEND | experimental.O_CREAT | experimental.O_EXCL | experimental.O_TRUNC

// OpenFile opens a file or a directory. What is made is the agent's alone,
// whatever mode is asked for.
func (v *view) OpenFile(path string, flag experimental.Oflag, _ fs.FileMode) (opened experimental.File, errno experimental.Errno) {
	v.run.Alive()
	if v.dir.writable {
		v.dir.mu.Lock()
		defer v.dir.mu.Unlock()
	} else if flag&writes != 0 {
		return nil, experimental.EROFS
	}
	errno = v.at(path, flag&(experimental.O_CREAT|experimental.O_EXCL) != experimental.O_CREAT|experimental.O_EXCL, func(p place) (errno experimental.Errno) {
		switch {
		case p.info == nil:
			opened, errno = v.create(p, flag)
		case flag&experimental.O_CREAT != 0 && flag&experimental.O_EXCL != 0:
			errno = experimental.EEXIST
		case p.isDir():
			opened, errno = v.openDirectory(path, p, flag)
		case p.isOdd():
			errno = experimental.EACCES
		default:
			opened, errno = v.openFile(path, p, flag)
		}
		return errno
	})
	if errno != 0 {
		return nil, errno
	}
	return opened, 0
}

// create makes a file and opens it.
func (v *view) create(p place, flag experimental.Oflag) (experimental.File, experimental.Errno) {
	switch {
	case flag&experimental.O_CREAT == 0:
		return nil, experimental.ENOENT
	case flag&experimental.O_DIRECTORY != 0:
		return nil, experimental.EINVAL
	case v.dir.full():
		return nil, EDQUOT
	}
	// With nonblock, package os spares four calls that switch it on and off.
	host, err := p.dir.OpenFile(p.name, hostFlags(flag)|os.O_CREATE|os.O_EXCL|nonblock, 0o600)
	if os.IsExist(err) {
		return nil, again
	} else if err != nil {
		return nil, errnoOf(err)
	}
	v.dir.add(1, 0)
	return v.file(p.path, p, host, flag)
}

// openFile opens a file that exists.
func (v *view) openFile(path string, p place, flag experimental.Oflag) (experimental.File, experimental.Errno) {
	if flag&experimental.O_DIRECTORY != 0 {
		return nil, experimental.ENOTDIR
	}
	host, errno := p.open(hostFlags(flag))
	if errno != 0 {
		return nil, errno
	}
	opened, errno := v.file(path, p, host, flag)
	if errno == 0 && flag&experimental.O_TRUNC != 0 {
		if errno = opened.truncate(0); errno != 0 {
			v.dir.closed(opened)
			host.Close()
			return nil, errno
		}
	}
	return opened, errno
}

// file is what guests have of an open file of the host.
func (v *view) file(path string, p place, host *os.File, flag experimental.Oflag) (*file, experimental.Errno) {
	info, err := host.Stat()
	if err != nil {
		host.Close()
		return nil, errnoOf(err)
	}
	f := &file{
		descriptor: descriptor{view: v, host: host, info: info, path: path, inode: v.dir.inode(p.opener(), info)},
		reads:      flag&experimental.O_WRONLY == 0,
		writes:     flag&(experimental.O_RDWR|experimental.O_WRONLY) != 0,
		append:     flag&experimental.O_APPEND != 0,
	}
	v.dir.opened(f)
	return f, 0
}

// openDirectory opens a directory for listing.
func (v *view) openDirectory(path string, p place, flag experimental.Oflag) (experimental.File, experimental.Errno) {
	if flag&(experimental.O_RDWR|experimental.O_WRONLY|experimental.O_TRUNC|experimental.O_CREAT) != 0 {
		return nil, experimental.EISDIR
	}
	host, errno := p.open(os.O_RDONLY)
	if errno != 0 {
		return nil, errno
	}
	return &directory{
		descriptor: descriptor{view: v, host: host, info: p.info, path: path, inode: v.dir.inode(p.opener(), p.info)},
		real:       p.path,
	}, 0
}

// hostFlags are the host's flags for an open. That it is to truncate or append is
// left out, for that is accounted for.
func hostFlags(flag experimental.Oflag) int {
	host := os.O_RDONLY
	switch reads := flag&experimental.O_WRONLY == 0; {
	case flag&(experimental.O_RDWR|experimental.O_WRONLY|experimental.O_TRUNC) == 0:
	case reads:
		host = os.O_RDWR
	default:
		host = os.O_WRONLY
	}
	if host != os.O_RDONLY && flag&(experimental.O_SYNC|experimental.O_DSYNC) != 0 {
		host |= os.O_SYNC
	}
	return host
}

// Stat describes a file.
func (v *view) Stat(path string) (stat sys.Stat_t, errno experimental.Errno) {
	v.run.Alive()
	errno = v.at(path, true, func(p place) (errno experimental.Errno) {
		stat, errno = v.dir.describe(p)
		return errno
	})
	return stat, errno
}

// Lstat is Stat, for links do not show.
func (v *view) Lstat(path string) (sys.Stat_t, experimental.Errno) { return v.Stat(path) }

// Readlink is EINVAL for whatever exists.
func (v *view) Readlink(path string) (string, experimental.Errno) {
	if _, errno := v.Stat(path); errno != 0 {
		return "", errno
	}
	return "", experimental.EINVAL
}

// change does at a path what changes the file system.
func (v *view) change(path string, follow bool, do action) experimental.Errno {
	v.run.Alive()
	if !v.dir.writable {
		return experimental.EROFS
	}
	v.dir.mu.Lock()
	defer v.dir.mu.Unlock()
	return v.at(path, follow, do)
}

// Mkdir makes a directory.
func (v *view) Mkdir(path string, _ fs.FileMode) experimental.Errno {
	return v.change(path, false, func(p place) experimental.Errno {
		switch {
		case p.info != nil:
			return experimental.EEXIST
		case v.dir.full():
			return EDQUOT
		}
		if err := p.dir.Mkdir(p.name, 0o700); err != nil {
			return errnoOf(err)
		}
		v.dir.add(1, 0)
		return 0
	})
}

// Rmdir removes an empty directory.
func (v *view) Rmdir(path string) experimental.Errno {
	return v.change(path, false, func(p place) experimental.Errno {
		if p.info != nil && !p.isDir() {
			return experimental.ENOTDIR
		}
		return v.remove(p)
	})
}

// Unlink removes a file.
func (v *view) Unlink(path string) experimental.Errno {
	return v.change(path, false, func(p place) experimental.Errno {
		if p.isDir() {
			return experimental.EISDIR
		}
		return v.remove(p)
	})
}

func (v *view) remove(p place) experimental.Errno {
	switch {
	case p.info == nil:
		return experimental.ENOENT
	case p.isTop():
		return experimental.EPERM
	case p.isOdd():
		return experimental.EACCES
	}
	if err := p.dir.Remove(p.name); err != nil {
		return errnoOf(err)
	}
	v.dir.ledger.remove(p.info)
	return 0
}

// Rename gives a file or a directory another name, in place of what had that name.
func (v *view) Rename(from, to string) experimental.Errno {
	return v.change(from, false, func(old place) experimental.Errno {
		return v.at(to, false, func(new place) experimental.Errno { return v.rename(old, new) })
	})
}

func (v *view) rename(old, new place) experimental.Errno {
	if errno := v.mayRename(old, new); errno != 0 {
		return errno
	}
	if old.path == new.path {
		return 0
	}
	same := new.info != nil && os.SameFile(old.info, new.info)
	if new.isDir() && !same {
		if errno := v.remove(new); errno != 0 {
			return errno
		}
		new.info = nil
	}
	// Both were found one directory at a time. os.Root goes there again by their
	// paths, and stays in the mount whatever was put on the way meanwhile.
	if err := v.dir.root.Rename(old.path, new.path); err != nil {
		return errnoOf(err)
	}
	if new.info != nil && !same {
		v.dir.ledger.remove(new.info)
	}
	return 0
}

// mayRename refuses what cannot be renamed.
func (v *view) mayRename(old, new place) experimental.Errno {
	switch {
	case old.info == nil:
		return experimental.ENOENT
	case old.isTop() || new.isTop():
		return experimental.EPERM
	case old.isOdd() || new.isOdd():
		return experimental.EACCES
	case old.isDir() && strings.HasPrefix(new.path, old.path+"/"):
		return experimental.EINVAL
	case new.info == nil || old.isDir() == new.isDir():
	case old.isDir():
		return experimental.ENOTDIR
	default:
		return experimental.EISDIR
	}
	if old.isDir() && old.path != new.path {
		return v.mayMove(old, new)
	}
	return 0
}

// mayMove keeps a directory that is moved from making the tree too deep, and from
// taking along what the run may not use: that could be granted under its new name.
func (v *view) mayMove(old, new place) experimental.Errno {
	dir, errno := old.enter()
	if errno != 0 {
		return errno
	}
	defer dir.Close()
	c := census{most: maxCounted, counts: func(below string) bool {
		v.run.Alive()
		return v.run.Allowed(old.path+"/"+below) && v.run.Allowed(new.path+"/"+below)
	}}
	switch err := c.count(dir, "", strings.Count(new.path, "/")+2); {
	case errors.Is(err, errUncounted):
		return experimental.EACCES
	case err != nil:
		return experimental.ENAMETOOLONG
	}
	return 0
}

// Utimens sets the times of a file.
func (v *view) Utimens(path string, atim, mtim int64) experimental.Errno {
	return v.change(path, true, func(p place) experimental.Errno { return p.setTimes(atim, mtim) })
}

func (p place) setTimes(atim, mtim int64) experimental.Errno {
	switch {
	case p.info == nil:
		return experimental.ENOENT
	case p.isOdd():
		return experimental.EACCES
	}
	return errnoOf(p.dir.Chtimes(p.name, timeOf(atim), timeOf(mtim)))
}

// timeOf is a time as package os wants it: the zero time leaves one as it is.
func timeOf(nanos int64) time.Time {
	if nanos == experimental.UTIME_OMIT {
		return time.Time{}
	}
	return time.Unix(0, nanos)
}

// forbid answers what no guest may do.
func (v *view) forbid() experimental.Errno {
	v.run.Alive()
	if !v.dir.writable {
		return experimental.EROFS
	}
	return experimental.EPERM
}

// Chmod is EPERM, or EROFS if the mount is not writable, as are the following.
func (v *view) Chmod(string, fs.FileMode) experimental.Errno { return v.forbid() }

// Link is EPERM.
func (v *view) Link(string, string) experimental.Errno { return v.forbid() }

// Symlink is EPERM.
func (v *view) Symlink(string, string) experimental.Errno { return v.forbid() }
