package hostfs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

const (
	// MaxLinks is the most symbolic links on the way to a file.
	MaxLinks = 16
	// maxTries is how often a path is resolved that changes meanwhile.
	maxTries = 64
)

// A place is a name in a directory that is held open.
type place struct {
	dir  *os.Root
	name string
	path string      // of the place in the mount, without links
	info fs.FileInfo // what is there, nil for nothing
}

// An opener opens a file.
type opener func() (*os.File, error)

// opener opens what is at the place for reading.
func (p place) opener() opener {
	return func() (*os.File, error) { return p.dir.OpenFile(p.name, os.O_RDONLY|nonblock, 0) }
}

// isTop tells whether the place is the mount itself.
func (p place) isTop() bool { return p.path == "." }

// isLink tells whether the place holds a symbolic link.
func (p place) isLink() bool { return p.info != nil && p.info.Mode().Type() == fs.ModeSymlink }

// isDir tells whether the place holds a directory.
func (p place) isDir() bool { return p.info != nil && p.info.IsDir() }

// isOdd tells whether the place holds what guests cannot know: a device, a socket
// and the like.
func (p place) isOdd() bool {
	return p.info != nil && !p.info.Mode().IsRegular() && !p.isDir() && !p.isLink()
}

// open opens what is at the place and was looked at, so that nothing that was put
// there meanwhile, such as a link, is opened in its stead.
func (p place) open(flag int) (*os.File, experimental.Errno) {
	f, err := p.dir.OpenFile(p.name, flag|nonblock, 0)
	if err != nil {
		return nil, p.changed(errnoOf(err))
	}
	if info, err := f.Stat(); err != nil || !os.SameFile(info, p.info) {
		f.Close()
		return nil, again
	}
	return f, 0
}

// changed is again if the place is not any more what it was, or else the errno.
func (p place) changed(errno experimental.Errno) experimental.Errno {
	if info, err := p.dir.Lstat(p.name); err != nil || !os.SameFile(info, p.info) {
		return again
	}
	return errno
}

// enter opens the directory at the place. The dot at the end has os.Root take the
// name for a directory, for it would wait for a FIFO.
func (p place) enter() (*os.Root, experimental.Errno) {
	dir, err := p.dir.OpenRoot(p.name + "/.")
	if err != nil {
		return nil, p.changed(errnoOf(err))
	}
	if info, err := dir.Stat("."); err != nil || !os.SameFile(info, p.info) {
		dir.Close()
		return nil, again
	}
	return dir, 0
}

// target is the path that the link at the place stands for, when rest follows it.
// What leads out of the mount is EACCES. The text of a link is taken as it stands:
// a ".." in it takes back the name before it.
func (p place) target(rest []string) (string, experimental.Errno) {
	text, err := p.dir.Readlink(p.name)
	if err != nil {
		return "", again
	}
	to := filepath.ToSlash(text)
	if path.IsAbs(to) || filepath.IsAbs(text) || filepath.VolumeName(text) != "" {
		return "", experimental.EACCES
	}
	to = path.Join(path.Dir(p.path), to, path.Join(rest...))
	if to == ".." || strings.HasPrefix(to, "../") {
		return "", experimental.EACCES
	}
	return to, 0
}

// An action is done at a place, which is held only until it returns.
type action func(place) experimental.Errno

// at resolves a path and does what is to be done there. With follow, a link at
// its end is followed, too.
func (v *view) at(rel string, follow bool, do action) experimental.Errno {
	links := 0
	for range maxTries {
		v.run.Alive()
		link, errno := v.dir.descend(rel, follow, do)
		switch {
		case errno == again:
			continue
		case errno != 0 || link == "":
			return errno
		case !v.run.Allowed(link):
			return experimental.EACCES
		}
		if links++; links > MaxLinks {
			break
		}
		rel = link
	}
	return experimental.ELOOP
}

// descend goes from directory to directory until the end of the path, or a link,
// for which it returns the path to go on with.
func (d *Dir) descend(rel string, follow bool, do action) (link string, errno experimental.Errno) {
	if errno := checkPath(rel); errno != 0 {
		return "", errno
	}
	if d.file != "" {
		return "", d.only(rel, do)
	}
	names := strings.Split(rel, "/")
	dir := d.root
	defer func() { d.leave(dir) }()
	for i, name := range names {
		last := i == len(names)-1
		p := place{dir: dir, name: name, path: path.Join(names[:i+1]...)}
		info, err := dir.Lstat(name)
		if errno := errnoOf(err); errno != 0 && (errno != experimental.ENOENT || !last) {
			return "", errno
		}
		p.info = info
		switch {
		case p.isLink() && (follow || !last):
			return p.target(names[i+1:])
		case last:
			return "", do(p)
		case !p.isDir():
			return "", experimental.ENOTDIR
		}
		below, errno := p.enter()
		if errno != 0 {
			return "", errno
		}
		d.leave(dir)
		dir = below
	}
	return "", 0
}

// only is descend for a mount that is one file.
func (d *Dir) only(rel string, do action) experimental.Errno {
	if rel != "." {
		return experimental.ENOTDIR
	}
	info, err := d.root.Lstat(d.file)
	if errno := errnoOf(err); errno != 0 && errno != experimental.ENOENT {
		return errno
	}
	p := place{dir: d.root, name: d.file, path: ".", info: info}
	if p.isLink() || p.isDir() {
		return experimental.EACCES // the operator named a file
	}
	return do(p)
}

// leave closes a directory, unless it is the mount's own.
func (d *Dir) leave(dir *os.Root) {
	if dir != d.root {
		dir.Close()
	}
}
