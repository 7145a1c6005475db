package hostfs

import (
	"io/fs"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// describe describes what is at a place.
func (d *Dir) describe(p place) (sys.Stat_t, experimental.Errno) {
	switch {
	case p.info == nil:
		return sys.Stat_t{}, experimental.ENOENT
	case p.isOdd():
		return sys.Stat_t{}, experimental.EACCES
	}
	return d.stat(p.info, d.inode(p.opener(), p.info)), 0
}

// stat is what guests see of a file: its kind, size and times, and what they may
// do with it, whoever it belongs to.
func (d *Dir) stat(info fs.FileInfo, inode sys.Inode) sys.Stat_t {
	st := sys.NewStat_t(info)
	st.Dev, st.Ino, st.Nlink = d.device, inode, 1
	st.Mode = info.Mode().Type() | 0o444
	if info.IsDir() {
		st.Mode |= 0o111
	}
	if d.writable {
		st.Mode |= 0o200
	}
	return st
}

// inode is the host's, for programs remember a file by it, as those do that follow
// a log. What is in another file system of the host is moved apart, so that the
// numbers of a mount stay unique. It is 0 where it is not known.
func (d *Dir) inode(open opener, info fs.FileInfo) sys.Inode {
	volume, inode := identity(open, info)
	if inode == 0 {
		return 0
	}
	return inode + (volume-d.volume)*0x9e3779b97f4a7c15
}
