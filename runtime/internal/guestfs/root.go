// Package guestfs is the file system that a guest sees: the files of its module
// at "/", and what it was granted beside them.
//
//	/host/NAME, /env/NAME       a document, made when it is opened
//	/dev/NETWORK/HOST/PORT      a connection (internal/dial)
//	/files/NAME/..., /state/... directories of the host (internal/hostfs)
//	/command/NAME               a command of the agent
//
// Guarantees: a path leads to what the Root was made of or to nothing. Every path
// passes one place, which asks for the grant that it needs and reports it; what was
// not granted does not exist. The module's files cannot be changed; whatever would is
// EROFS, on paths that exist and on paths that do not. Listings, inodes, sizes and
// times of its files are the same in every run. A document is read when it is
// opened, and the descriptor shows that reading until it is closed. Open files, the
// bytes of open documents and the length of paths are bounded.
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

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/dial"
	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
)

const (
	// MaxPath is the longest path in bytes.
	MaxPath = 4096
	// MaxName is the longest name of one file or directory in bytes.
	MaxName = 255
	// MaxDocuments is the most bytes that the open documents of one run hold
	// together.
	MaxDocuments = 16 << 20
)

// A File is one file of a module. Data is not copied and must not change.
type File struct {
	Name    string // slash-separated, relative and clean
	Data    []byte
	ModTime time.Time
}

// A Document makes the content of a file. It must return soon after ctx ends and
// be safe for concurrent use.
type Document func(ctx context.Context) ([]byte, error)

// A Directory is a directory or a file of the host. It is opened for one run, which
// calls release at its end. The error says why it cannot be.
type Directory func(hostfs.Run) (fsys experimental.FS, release func(), err error)

// A Command runs a command with arguments, and returns the JSON document of its
// answer.
type Command func(ctx context.Context, args []string) []byte

// Config is what a Root is made of. What Access does not allow is left out.
type Config struct {
	// Files are the module's own.
	Files []File
	// Access is what the module may open beside them.
	Access policy.Access
	// Host and Env are what there is at /host/NAME and /env/NAME.
	Host, Env map[string]Document
	// Directories are what there is at /files/NAME and /state, by these paths.
	Directories map[string]Directory
	// Dialer makes the connections at /dev.
	Dialer dial.Dialer
	// Commands finds what there is at /command/NAME, and tells whether the
	// module may run it without a grant. Nil finds nothing.
	Commands func(name string) (run Command, own bool)
}

// A Root is the tree of files that the runs of a module share.
type Root struct {
	top      *node
	access   policy.Access
	devices  map[string]device // by the paths where they begin
	commands func(name string) (run Command, own bool)
}

// NewRoot makes a Root. The error names every file and document that cannot be in
// it, with the reason.
func NewRoot(c Config) (*Root, error) {
	top := emptyTop()
	var errs []error
	for _, f := range c.Files {
		errs = append(errs, top.addFile(f))
	}
	errs = append(errs, top.addDocuments("/host/", c.Host, c.Access), top.addDocuments("/env/", c.Env, c.Access))
	r := &Root{top: top, access: c.Access, commands: c.Commands, devices: map[string]device{}}
	for _, at := range slices.Sorted(maps.Keys(c.Directories)) {
		errs = append(errs, r.addDirectory(at, c.Directories[at]))
	}
	r.devices["/dev"] = newNetwork(c.Dialer)
	if c.Commands != nil {
		r.devices["/command"] = newCommands
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	top.number(1)
	return r, nil
}

// addDirectory puts a directory of the host at a path. If its own root is granted,
// listings show it.
func (r *Root) addDirectory(at string, d Directory) error {
	r.devices[at] = newDirectory(d)
	if !r.access.Allows(at) {
		return nil
	}
	return r.top.add(&node{dir: true}, at[1:])
}

// emptyTop is the top of a tree without files.
func emptyTop() *node {
	top := &node{dir: true, inode: 1}
	top.parent = top
	return top
}

func (top *node) addFile(f File) error {
	first, _, _ := strings.Cut(f.Name, "/")
	if isRoot(f.Name) {
		return fmt.Errorf("file %q: /%s is not for a module's own files; rename %q", f.Name, first, first)
	}
	return top.add(&node{data: f.Data, mtime: nanos(f.ModTime)}, f.Name)
}

// addDocuments puts the documents that are allowed into a directory.
func (top *node) addDocuments(dir string, documents map[string]Document, access policy.Access) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		switch {
		case strings.Contains(name, "/"):
			errs = append(errs, fmt.Errorf("document %q: the name holds a \"/\"; name it with one word", name))
		case access.Allows(dir + name):
			errs = append(errs, top.add(&node{document: documents[name]}, dir[1:]+name))
		}
	}
	return errors.Join(errs...)
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
