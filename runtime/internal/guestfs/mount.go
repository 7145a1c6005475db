package guestfs

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"strings"
	"time"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/errno"
)

// A Run is what a Mount knows of the run that it belongs to.
type Run struct {
	// Context is the run's; documents are read, connections made and commands
	// run under it. wazero's file system has no context in its calls, which is
	// why it is kept here.
	Context context.Context
	// Alive is called at the start of every operation, and panics if the run is
	// to end.
	Alive func()
	// OpenFiles is the most files that are open at one time.
	OpenFiles int
	// Failed hears why a document could not be read, or a directory of the host
	// not be opened; the guest sees EIO. Nil hears nothing.
	Failed func(path string, err error)
	// Observe hears of every path that the guest tries. Nil hears nothing.
	Observe func(Attempt)
}

// A Mount is a Root as one run sees it: wazero's file system. It finds the file
// system that a path leads to, and asks for the grant that it needs.
type Mount struct {
	experimental.UnimplementedFS
	*Root
	run       Run
	tree      tree
	devices   map[string]experimental.FS // that were used, by their paths
	releases  []func()                   // to be called at the end
	open      int                        // files that are open
	documents int64                      // the bytes of the open documents
	attempts  int                        // that were observed
	polled    *conn                      // see Ready
	polling   bool                       // within Ready
	ready     chan struct{}              // holds one if a connection has something to read; nil without any
	patience  time.Time                  // when connections give up; zero for never
	errno     experimental.Errno         // of the operation in progress
	attempted                            // by it
}

// An attempted is a path that is tried, with what came of it so far.
type attempted struct {
	name    string // the path, absolute
	why     string // what stood in its way
	refused bool   // for want of a grant
}

// Mount returns the tree for one run. A nil Root has no files.
func (r *Root) Mount(run Run) *Mount {
	if r == nil {
		r = &Root{top: emptyTop()}
	}
	m := &Mount{Root: r, run: run}
	m.tree = tree{mount: m, top: r.top}
	if deadline, ok := run.deadline(); ok {
		m.patience = deadline.Add(-min(time.Until(deadline)/10, time.Second))
	}
	return m
}

// deadline is when the run ends, if that is known.
func (r Run) deadline() (time.Time, bool) {
	if r.Context == nil {
		return time.Time{}, false
	}
	return r.Context.Deadline()
}

// Full tells whether no more file can be opened.
func (m *Mount) Full() bool { return m.open >= m.run.OpenFiles }

// descriptor is a new descriptor, which its Close gives back.
func (m *Mount) descriptor(stat sys.Stat_t) descriptor {
	m.open++
	return descriptor{mount: m, stat: stat}
}

// Errno takes the last error that wazero has no number for, if there was one.
func (m *Mount) Errno() uint64 {
	e := m.errno
	m.errno = 0
	return errno.Of(e)
}

// fails notes an error that the guest sees as EIO.
func (m *Mount) fails(err error) {
	m.why = err.Error()
	if m.run.Failed != nil {
		m.run.Failed(m.name, err)
	}
}

// wake notes that a connection has something to read.
func (m *Mount) wake() {
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// Woken holds a value when a connection that was not ready may have become so.
func (m *Mount) Woken() <-chan struct{} { return m.ready }

// Ready tells whether a read, or else a write, of the file that sync leads to would
// not wait: sync calls Datasync of one file. Writes are always taken for ready, and
// so are files that are no connections.
func (m *Mount) Ready(read bool, sync func()) bool {
	m.polled, m.polling = nil, true
	sync()
	m.polling = false
	return !read || m.polled == nil || m.polled.Ready(m.wake)
}

// keep counts the bytes of a document that is to be open.
func (m *Mount) keep(data []byte) error {
	if m.documents+int64(len(data)) > MaxDocuments {
		return fmt.Errorf("%d bytes, with %d bytes of documents open: over the limit of %d bytes", len(data), m.documents, MaxDocuments)
	}
	m.documents += int64(len(data))
	return nil
}

// attempt is what every path passes that the guest tries, for whatever purpose.
func (m *Mount) attempt(op, name string, do func(experimental.FS, string) experimental.Errno) experimental.Errno {
	m.begin(name)
	fsys, rest, e := m.find(name)
	if e == 0 {
		e = do(fsys, rest)
	}
	m.observe(op, e)
	m.errno = e
	return e
}

func (m *Mount) begin(name string) {
	m.run.Alive()
	m.attempted = attempted{name: absolute(name)}
}

// find returns the file system that the path of the attempt leads to, with the path
// in that. What no grant allows is not there.
func (m *Mount) find(name string) (experimental.FS, string, experimental.Errno) {
	if len(name) > MaxPath {
		return nil, "", experimental.ENAMETOOLONG
	}
	clean := m.attempted.name
	at, open := m.device(clean)
	switch {
	case open == nil && isDevice(clean):
		return nil, "", experimental.ENOENT
	case open == nil:
		return &m.tree, name, 0
	}
	if !m.allows(clean) {
		return nil, "", m.refuse(m.access.Lacks(clean), experimental.ENOENT)
	}
	fsys, err := m.use(at, open)
	if err != nil {
		m.fails(err)
		return nil, "", experimental.EIO
	}
	return fsys, cmp.Or(strings.TrimPrefix(clean[len(at):], "/"), "."), 0
}

// use returns the file system of a device, which is made when it is first used.
func (m *Mount) use(at string, open device) (experimental.FS, error) {
	if fsys, used := m.devices[at]; used {
		return fsys, nil
	}
	fsys, err := open(m, at)
	if err != nil {
		return nil, err
	}
	if m.devices == nil {
		m.devices = map[string]experimental.FS{}
	}
	m.devices[at] = fsys
	return fsys, nil
}

// Close gives back what the run used of the host. Its files are closed already.
func (m *Mount) Close() {
	for _, release := range m.releases {
		release()
	}
}

// allows tells whether a path may be opened: as granted, or because it is a
// command of the module's own.
func (m *Mount) allows(name string) bool {
	if m.access.Allows(name) {
		return true
	}
	command, found := strings.CutPrefix(name, "/command/")
	if !found || m.commands == nil {
		return false
	}
	_, own := m.commands(command)
	return own
}

// OpenFile opens a file, a directory, a connection or a command.
func (m *Mount) OpenFile(name string, flag experimental.Oflag, perm fs.FileMode) (file experimental.File, e experimental.Errno) {
	op := "open"
	if flag&writes != 0 {
		op = "open to write"
	}
	e = m.attempt(op, name, func(fsys experimental.FS, rest string) (e experimental.Errno) {
		if strings.HasSuffix(name, "/") {
			flag |= experimental.O_DIRECTORY
		}
		file, e = fsys.OpenFile(rest, flag, perm)
		return e
	})
	return file, e
}

// Stat describes a file.
func (m *Mount) Stat(name string) (stat sys.Stat_t, e experimental.Errno) {
	e = m.attempt("stat", name, func(fsys experimental.FS, rest string) (e experimental.Errno) {
		stat, e = fsys.Stat(rest)
		return e
	})
	return stat, e
}

// Lstat describes a file or a symbolic link.
func (m *Mount) Lstat(name string) (stat sys.Stat_t, e experimental.Errno) {
	e = m.attempt("lstat", name, func(fsys experimental.FS, rest string) (e experimental.Errno) {
		stat, e = fsys.Lstat(rest)
		return e
	})
	return stat, e
}

// Readlink reads a symbolic link.
func (m *Mount) Readlink(name string) (target string, e experimental.Errno) {
	e = m.attempt("readlink", name, func(fsys experimental.FS, rest string) (e experimental.Errno) {
		target, e = fsys.Readlink(rest)
		return e
	})
	return target, e
}

// Mkdir makes a directory.
func (m *Mount) Mkdir(name string, perm fs.FileMode) experimental.Errno {
	return m.attempt("mkdir", name, func(fsys experimental.FS, rest string) experimental.Errno { return fsys.Mkdir(rest, perm) })
}

// Chmod changes the mode of a file.
func (m *Mount) Chmod(name string, perm fs.FileMode) experimental.Errno {
	return m.attempt("chmod", name, func(fsys experimental.FS, rest string) experimental.Errno { return fsys.Chmod(rest, perm) })
}

// Rmdir removes an empty directory.
func (m *Mount) Rmdir(name string) experimental.Errno {
	return m.attempt("rmdir", name, func(fsys experimental.FS, rest string) experimental.Errno { return fsys.Rmdir(rest) })
}

// Unlink removes a file.
func (m *Mount) Unlink(name string) experimental.Errno {
	return m.attempt("unlink", name, func(fsys experimental.FS, rest string) experimental.Errno { return fsys.Unlink(rest) })
}

// Utimens sets the times of a file.
func (m *Mount) Utimens(name string, atim, mtim int64) experimental.Errno {
	return m.attempt("utimens", name, func(fsys experimental.FS, rest string) experimental.Errno { return fsys.Utimens(rest, atim, mtim) })
}

// Symlink makes a symbolic link. Its text is no path that is tried.
func (m *Mount) Symlink(target, name string) experimental.Errno {
	return m.attempt("symlink", name, func(fsys experimental.FS, rest string) experimental.Errno { return fsys.Symlink(target, rest) })
}

// Rename moves a file within its file system.
func (m *Mount) Rename(from, to string) experimental.Errno {
	return m.both("rename", from, to, experimental.FS.Rename)
}

// Link gives a file a second name within its file system.
func (m *Mount) Link(from, to string) experimental.Errno {
	return m.both("link", from, to, experimental.FS.Link)
}

// both does what takes two paths: each is an attempt, and they must lead to one
// file system.
func (m *Mount) both(op, from, to string, do func(experimental.FS, string, string) experimental.Errno) experimental.Errno {
	m.begin(from)
	source, old, e := m.find(from)
	first := m.attempted
	m.begin(to)
	target, new, errnoTo := m.find(to)
	switch {
	case e != 0:
	case errnoTo != 0:
		e = errnoTo
	case source != target:
		e = errno.EXDEV
	default:
		e = do(source, old, new)
	}
	second := m.attempted
	m.attempted = first
	m.observe(op+" from", e)
	m.attempted = second
	m.observe(op+" to", e)
	m.errno = e
	return e
}
