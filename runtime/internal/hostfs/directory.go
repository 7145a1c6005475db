package hostfs

import (
	"io"
	"io/fs"
	"path"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

// A directory is an open directory.
type directory struct {
	descriptor
	experimental.DirFile
	real string // its path in the mount, without links
}

// Seek rewinds the listing; nothing else can be sought in a directory.
func (d *directory) Seek(offset position, whence int) (position, experimental.Errno) {
	if errno := d.use(); errno != 0 {
		return 0, errno
	}
	if offset != 0 || whence != io.SeekStart {
		return 0, experimental.EINVAL
	}
	_, err := d.host.Seek(0, io.SeekStart)
	return 0, errnoOf(err)
}

// Readdir lists the next entries that the run may use, at most n of them if n is
// positive. They are in the host's order.
func (d *directory) Readdir(n int) ([]experimental.Dirent, experimental.Errno) {
	var list []experimental.Dirent
	for n <= 0 || len(list) < n {
		size := batch
		if n > 0 {
			size = min(size, n-len(list))
		}
		if errno := d.use(); errno != 0 {
			return nil, errno
		}
		entries, err := d.host.ReadDir(size)
		for _, e := range entries {
			d.view.run.Alive() // for it takes time to ask what is allowed
			if entry, ok := d.entry(e); ok {
				list = append(list, entry)
			}
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return list, errnoOf(err)
		}
	}
	return list, 0
}

// entry is what the run sees of an entry, if anything.
func (d *directory) entry(e fs.DirEntry) (experimental.Dirent, bool) {
	name, none := e.Name(), experimental.Dirent{}
	asked, real := path.Join(d.path, name), path.Join(d.real, name)
	if checkPath(asked) != 0 || !d.view.run.Allowed(asked) || asked != real && !d.view.run.Allowed(real) {
		return none, false
	}
	info, err := e.Info()
	switch {
	case err != nil:
		return none, false
	case info.Mode().IsRegular() || info.IsDir():
		return experimental.Dirent{Name: name, Type: info.Mode().Type(), Ino: d.view.dir.inode(nil, info)}, true
	case info.Mode().Type() != fs.ModeSymlink:
		return none, false
	}
	stat, errno := d.view.Stat(real)
	return experimental.Dirent{Name: name, Type: stat.Mode.Type(), Ino: stat.Ino}, errno == 0
}

// Close closes the directory. Closing it again does nothing.
func (d *directory) Close() experimental.Errno {
	if d.shut {
		return 0
	}
	d.shut = true
	return errnoOf(d.host.Close())
}
