package guestfs

import (
	"io/fs"
	"slices"
	"strings"
	"time"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// deviceNumber is the device number of every file of the guest's own tree: they are one
// file system.
const deviceNumber = 1

// A node is a directory, a file or a document.
type node struct {
	name   string
	parent *node // of the root, itself
	inode  sys.Inode
	mtime  int64 // nanoseconds since 1970; of a directory, the latest beneath it

	dir     bool
	entries []*node // of a directory, sorted by name

	data     []byte   // of a file
	document Document // of a document
}

func (n *node) kind() string {
	if n.dir {
		return "a directory"
	}
	return "a file"
}

// search finds where name is, or belongs, among the entries.
func (n *node) search(name string) (int, bool) {
	return slices.BinarySearchFunc(n.entries, name, func(e *node, name string) int { return strings.Compare(e.name, name) })
}

func (n *node) find(name string) (*node, bool) {
	i, found := n.search(name)
	if !found {
		return nil, false
	}
	return n.entries[i], true
}

func (n *node) insert(name string, child *node) *node {
	child.name, child.parent = name, n
	i, _ := n.search(name)
	n.entries = slices.Insert(n.entries, i, child)
	return child
}

// mtimeUp makes every directory above n at least as new as mtime.
func (n *node) mtimeUp(mtime int64) {
	for ; n.parent != n; n = n.parent {
		n.parent.mtime = max(n.parent.mtime, mtime)
	}
}

// number gives inodes to n and all beneath it, from first on, in the order of
// their paths. It returns the next inode.
func (n *node) number(first sys.Inode) sys.Inode {
	n.inode = first
	first++
	for _, e := range n.entries {
		first = e.number(first)
	}
	return first
}

// walk follows a path from n, as POSIX does: ".." of the root is the root, a
// file has nothing beneath it, and what a slash or a dot follows is a directory.
// https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap04.html#tag_04_13
func (n *node) walk(name string) (*node, experimental.Errno) {
	if name == "" {
		return nil, experimental.ENOENT
	}
	for segment := range strings.SplitSeq(name, "/") {
		if len(segment) > MaxName {
			return nil, experimental.ENAMETOOLONG
		}
		if !n.dir {
			return nil, experimental.ENOTDIR
		}
		switch segment {
		case "", ".":
		case "..":
			n = n.parent
		default:
			next, found := n.find(segment)
			if !found {
				return nil, experimental.ENOENT
			}
			n = next
		}
	}
	return n, 0
}

// stat describes n. A document that is not open has no size yet, as files under /proc
// have none, and is as new as the question.
func (n *node) stat() sys.Stat_t {
	st := sys.Stat_t{
		Dev: deviceNumber, Ino: n.inode, Mode: 0o444, Nlink: 1, Size: int64(len(n.data)),
		Atim: n.mtime, Mtim: n.mtime, Ctim: n.mtime,
	}
	switch {
	case n.dir:
		st.Mode, st.Nlink = fs.ModeDir|0o555, n.links()
	case n.document != nil:
		now := time.Now().UnixNano()
		st.Atim, st.Mtim, st.Ctim = now, now, now
	}
	return st
}

// links counts the names of a directory: its own, its "." and the ".." of each
// directory in it.
func (n *node) links() uint64 {
	links := uint64(2)
	for _, e := range n.entries {
		if e.dir {
			links++
		}
	}
	return links
}
