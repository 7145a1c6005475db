// Package guestfs is the file system that a guest sees: the files of its module
// at "/", and under "/host" the facts about the machine that it was granted.
//
// Guarantees: a path leads to what the Root was made of or to nothing, for there
// is no host file system behind it. Nothing can be changed; whatever would is
// EROFS, on paths that exist and on paths that do not. What was not granted does
// not exist. Listings, inodes, sizes and times of files are the same in every
// run. A fact is read when it is opened, and the descriptor shows that reading
// until it is closed. Open files, the bytes of open facts and the length of paths
// are bounded.
//
// A Root is immutable and safe for concurrent use. A Mount belongs to one run
// and one goroutine.
package guestfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/policy"
)

const (
	// MaxPath is the longest path in bytes.
	MaxPath = 4096
	// MaxName is the longest name of one file or directory in bytes.
	MaxName = 255
	// MaxFacts is the most bytes that the open facts of one run hold together.
	MaxFacts = 16 << 20
)

// facts is the directory at the root that holds the facts.
const facts = "host"

// A File is one file of a module. Data is not copied and must not change.
type File struct {
	Name    string // slash-separated, relative and clean
	Data    []byte
	ModTime time.Time
}

// A Fact reads one document about the machine. It must return soon after ctx
// ends and be safe for concurrent use.
type Fact func(ctx context.Context) ([]byte, error)

// A Root is the tree of files that the runs of a module share.
type Root struct{ top *node }

// NewRoot makes a tree of a module's files and of the facts that it was granted,
// which become /host/NAME. Without facts there is no /host. The error names every
// file and fact that cannot be in the tree, with the reason.
func NewRoot(files []File, granted map[string]Fact) (*Root, error) {
	top := emptyTop()
	var errs []error
	for _, f := range files {
		errs = append(errs, top.addFile(f))
	}
	for _, name := range slices.Sorted(maps.Keys(granted)) {
		errs = append(errs, top.addFact(name, granted[name]))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	top.number(1)
	return &Root{top}, nil
}

// emptyTop is the top of a tree without files.
func emptyTop() *node {
	top := &node{dir: true, inode: 1}
	top.parent = top
	return top
}

func (top *node) addFile(f File) error {
	first, _, _ := strings.Cut(f.Name, "/")
	if slices.Contains(policy.Roots(), first) {
		return fmt.Errorf("file %q: /%s is not for a module's own files; rename %q", f.Name, first, first)
	}
	return top.add(&node{data: f.Data, mtime: nanos(f.ModTime)}, f.Name)
}

func (top *node) addFact(name string, read Fact) error {
	if strings.Contains(name, "/") {
		return fmt.Errorf("fact %q: the name holds a \"/\"; name it with one word", name)
	}
	return top.add(&node{fact: read}, facts+"/"+name)
}

// add puts n into the tree at name and makes the directories on the way.
func (top *node) add(n *node, name string) error {
	if len(name) > MaxPath || !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("file %.80q: is not a relative, clean path of at most %d bytes", name, MaxPath)
	}
	dir := top
	segments := strings.Split(name, "/")
	for i, segment := range segments {
		if len(segment) > MaxName || strings.Contains(segment, "\x00") {
			return fmt.Errorf("file %.80q: %.40q is not a name of at most %d bytes without NUL", name, segment, MaxName)
		}
		next, found := dir.find(segment)
		switch last := i == len(segments)-1; {
		case last && found:
			return fmt.Errorf("file %q: is there already, as %s", name, next.kind())
		case last:
			next = dir.insert(segment, n)
		case !found:
			next = dir.insert(segment, &node{dir: true})
		case !next.dir:
			return fmt.Errorf("file %q: %q is a file, and cannot be a directory too", name, strings.Join(segments[:i+1], "/"))
		}
		next.mtimeUp(n.mtime)
		dir = next
	}
	return nil
}

// nanos is a time in nanoseconds since 1970, or 0 for one that this cannot say.
func nanos(t time.Time) int64 {
	if t.Year() < 1970 || t.Year() > 2261 {
		return 0
	}
	return t.UnixNano()
}
