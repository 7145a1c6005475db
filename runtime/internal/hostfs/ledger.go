package hostfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"
)

// A Quota bounds what a directory holds.
type Quota struct {
	// Bytes is the most that all files have together, by their sizes: holes count.
	Bytes int64
	// Files is the most files and directories. The top does not count.
	Files int
}

// A ledger has changes happen one at a time and, under a quota, keeps account.
type ledger struct {
	mu    sync.Mutex
	quota *Quota // nil for none
	used  Quota
	open  map[*file]struct{} // the files that are open
}

func newLedger(quota, used Quota) ledger {
	return ledger{quota: &quota, used: used, open: map[*file]struct{}{}}
}

// count counts what is in a directory, for a quota. One that holds far more files
// is not counted to its end, for that takes minutes that no run's time limit bounds:
// until it is opened again, nothing in it can grow.
func count(root *os.Root, quota Quota) (Quota, error) {
	c := census{most: min(quota.Files, maxCounted) + beyondQuota}
	err := c.count(root, "", 1)
	if errors.Is(err, errTooMany) {
		return Quota{math.MaxInt64, math.MaxInt}, nil
	}
	return c.found, err
}

// Used is what counts towards the quota: what is in the directory, and what was
// removed while it is open. It is nothing for a Dir without a quota.
func (l *ledger) Used() Quota {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used
}

// full tells whether there may be no more files.
func (l *ledger) full() bool { return l.quota != nil && l.used.Files >= l.quota.Files }

// free is by how many bytes files may grow.
func (l *ledger) free() int64 {
	if l.quota == nil {
		return math.MaxInt64
	}
	return max(0, l.quota.Bytes-l.used.Bytes)
}

// fitting is how many of n bytes may be written that far beyond the end of a file.
func (l *ledger) fitting(n, beyond int64) int64 {
	growth := max(0, beyond+n)
	return max(0, n-max(0, growth-l.free()))
}

// add enters files and bytes. Less than nothing is left only where other
// processes changed something, too.
func (l *ledger) add(files int, bytes int64) {
	if l.quota != nil {
		l.used = Quota{max(0, l.used.Bytes+bytes), max(0, l.used.Files+files)}
	}
}

// remove enters that a name is gone. A file that is open counts until it is closed.
func (l *ledger) remove(info fs.FileInfo) {
	pinned := false
	for f := range l.open {
		if os.SameFile(f.info, info) {
			f.gone, pinned = true, true
		}
	}
	if !pinned {
		l.add(-1, -sizeOf(info))
	}
}

// opened enters an open file.
func (l *ledger) opened(f *file) {
	if l.quota != nil {
		l.open[f] = struct{}{}
	}
}

// closed enters that a file is about to be closed.
func (l *ledger) closed(f *file) {
	delete(l.open, f)
	if !f.gone {
		return
	}
	for other := range l.open {
		if os.SameFile(other.info, f.info) {
			return
		}
	}
	if info, err := f.host.Stat(); err == nil {
		l.add(-1, -sizeOf(info))
	}
}

// sizeOf is what a file counts in bytes.
func sizeOf(info fs.FileInfo) int64 {
	if !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

const (
	// maxCounted is the most files of a directory that are counted, and beyondQuota
	// how many more than its quota.
	maxCounted  = 1 << 20
	beyondQuota = 4096
	// batch is how many entries of a directory are read at once.
	batch = 256
)

// A census counts what is in a directory and below it.
type census struct {
	found Quota
	most  int // files; beyond them it ends
	// counts tells whether a path below the directory may be counted; nil is all.
	counts func(path string) bool
}

// What ends a census: an entry that may not be counted, and one too many.
var (
	errUncounted = errors.New("holds what may not be counted")
	errTooMany   = errors.New("holds too many files")
)

// count counts what is in dir, whose entries have paths that begin with a prefix,
// and are at a depth.
func (c *census) count(dir *os.Root, prefix string, depth int) error {
	list, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer list.Close()
	for {
		names, err := list.Readdirnames(batch)
		for _, name := range names {
			if err := c.enter(dir, prefix, name, depth); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// enter counts one entry of dir, with what is below it.
func (c *census) enter(dir *os.Root, prefix, name string, depth int) error {
	if c.counts != nil && !c.counts(prefix+name) {
		return errUncounted
	}
	info, err := dir.Lstat(name)
	if err != nil {
		return err
	}
	c.found.Files++
	c.found.Bytes += sizeOf(info)
	switch {
	case c.found.Files > c.most:
		return errTooMany
	case depth > MaxDepth:
		return fmt.Errorf("%q is in more than %d directories; remove it", name, MaxDepth-1)
	case !info.IsDir():
		return nil
	}
	below, errno := place{dir: dir, name: name, info: info}.enter()
	if errno == again {
		return fmt.Errorf("directory %q was replaced while it was counted; stop what does that", name)
	} else if errno != 0 {
		return fmt.Errorf("directory %q: %w", name, errno)
	}
	defer below.Close()
	return c.count(below, prefix+name+"/", depth+1)
}
