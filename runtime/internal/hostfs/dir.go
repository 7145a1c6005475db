// Package hostfs gives guests one directory, or one single file, of the host as
// wazero's file system.
//
// Guarantees: a path leads to what is inside the mount or to nothing, whatever
// symbolic links, names and processes of the host do: everything goes through
// os.Root, one directory at a time, and what was opened is what was looked at. A
// link is followed only to what the run may use as well; links themselves do not
// show, a name is what it leads to. Only regular files and directories exist, and
// nothing else is ever waited for. A mount that is not writable does not change.
// A quota is not exceeded by one byte, whatever runs do at once, and counts what
// is unlinked until its last descriptor is closed.
//
// What a guest makes belongs to the agent alone (0600, 0700). Guests make no
// links. Appending is atomic among the runs of one Dir, not towards other
// processes. What these change in a Dir with a quota is counted when it is opened
// the next time. Where the host's file system takes several spellings for one
// name, such as upper and lower case, a guest that may use a spelling has the file.
//
// A Dir is safe for concurrent use and meant to be shared by all runs. What FS
// returns belongs to one run and one goroutine, with all that is opened there.
package hostfs

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/internal/private"
)

// Options are what an operator says about a Dir.
type Options struct {
	// Writable lets guests change it.
	Writable bool
	// Create makes the directory if it is missing, and refuses one that is not
	// the agent's alone.
	Create bool
	// Quota bounds what is in a writable directory, or the size of a writable
	// file; nil bounds nothing.
	Quota *Quota
}

// A Run is what an FS knows of the run that it belongs to.
type Run struct {
	// Alive is called at the start of every operation, and panics if the run is
	// to end.
	Alive func()
	// Allowed tells whether the run may use a path: relative to the mount, clean,
	// with slashes, "." for the mount itself. Whoever calls the FS has asked for
	// the paths that he passes. The FS asks where a link leads, and before it
	// lists an entry.
	Allowed func(path string) bool
}

// A Dir is one directory or one file of the host.
type Dir struct {
	root     *os.Root
	file     string // the name in root of the one file; empty for a directory
	writable bool
	device   uint64 // the device number that guests see
	volume   uint64 // the host's, of the mount itself
	ledger
}

// Open opens the directory or the file at path. Symbolic links in path are
// followed here and not again: a link that is moved later has no effect. A file
// may be replaced by another of its name, as rotation does.
func Open(path string, o Options) (*Dir, error) {
	d, err := open(path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func open(path string, o Options) (*Dir, error) {
	if o.Create {
		if err := private.Dir(path); err != nil {
			return nil, err
		}
	}
	real, info, err := locate(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{writable: o.Writable, device: deviceOf(real)}
	switch {
	case info.Mode().IsRegular():
		real, d.file = filepath.Split(real)
	case !info.IsDir():
		return nil, errors.New("is neither a directory nor a regular file; name one of these")
	}
	if d.root, err = os.OpenRoot(real); err != nil {
		return nil, err
	}
	d.volume, _ = identity(func() (*os.File, error) { return d.root.Open(".") }, info)
	switch {
	case !o.Writable || o.Quota == nil:
		return d, nil
	case d.file != "":
		d.ledger = newLedger(*o.Quota, Quota{Bytes: info.Size(), Files: 1})
		return d, nil
	}
	used, err := count(d.root, *o.Quota)
	if err != nil {
		return nil, errors.Join(err, d.root.Close())
	}
	d.ledger = newLedger(*o.Quota, used)
	return d, nil
}

// locate is where path leads, and what is there.
func locate(path string) (string, fs.FileInfo, error) {
	real, err := filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	if real, err = filepath.EvalSymlinks(real); err != nil {
		return "", nil, err
	}
	info, err := os.Lstat(real)
	return real, info, err
}

// deviceOf numbers a mount: the same in every run, and another for another path.
func deviceOf(path string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(path))
	return h.Sum64()
}

// Close closes the Dir. What is open in it stays usable.
func (d *Dir) Close() error { return d.root.Close() }

// FS is the Dir as one run sees it. Its paths are those of Run.Allowed.
func (d *Dir) FS(run Run) experimental.FS { return &view{dir: d, run: run} }
