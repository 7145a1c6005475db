// Package codecache keeps compiled code on disk between runs of the agent, and what
// belongs to it.
//
// What is in the cache is executed as it is, so whoever can write there runs code
// in the agent. Open therefore refuses a directory that is not the agent's alone
// (internal/private).
//
// An entry is one file, with a checksum over all of it and over its key. It appears
// whole, by being renamed into place; an entry that is damaged, truncated, foreign or
// under another's key is removed when it is looked for. So whatever happens to the
// cache costs a compilation and nothing else.
//
// A compiler that reads files by names of its own sees none of that. It is given a
// Draft, a directory that is empty but for the entries that were linked into it, each
// under the name that the compiler gave it and only after it was verified.
//
// Several goroutines and processes may share a cache.
package codecache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/internal/private"
)

const (
	// Unused is how long an entry is kept that nobody used.
	Unused = 30 * 24 * time.Hour
	// noted is how exactly that is known: a use is not noted that follows another so soon.
	noted = 24 * time.Hour
	// abandoned is how old a draft is whose maker has crashed.
	abandoned = 24 * time.Hour

	// draftPrefix begins the names of what is no entry.
	draftPrefix = "draft-"
)

// keys are the keys of entries: 32 bytes in lower-case hex.
var keys = lazyregexp.New("^[0-9a-f]{64}$")

// A Cache is a directory of compiled code.
type Cache struct{ dir string }

// Open opens the cache in dir and creates it if it is missing. It removes the
// entries that have not been used for the time Unused.
func Open(dir string) (*Cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cache directory: %w", err)
	}
	if err := private.Dir(dir); err != nil {
		return nil, fmt.Errorf("cache directory %s: %w", dir, err)
	}
	c := &Cache{dir}
	return c, c.prune(time.Now())
}

// Read returns the content of the entry under key, and notes that it was used. The
// error is fs.ErrNotExist if there is none; any other says what was wrong with the
// entry, which has been removed.
func (c *Cache) Read(key string) (content []byte, err error) {
	err = c.find(key, func(f *os.File, size int64) error {
		content = make([]byte, size)
		if _, err := io.ReadFull(f, content); err != nil {
			return err
		}
		name, err := verify(key, bytes.NewReader(content), size)
		if err == nil {
			content = content[:len(content)-fixed-len(name)]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return content, nil
}

// Link puts the entry under key, which was published, into a draft as the file that
// it was, and notes that it was used. Errors are as of Read. Whoever calls it
// removes the file.
func (c *Cache) Link(key string, d *Draft) (file string, err error) {
	err = c.find(key, func(f *os.File, size int64) error {
		name, err := verify(key, f, size)
		if err != nil {
			return err
		}
		if !filepath.IsLocal(name) {
			return errors.New("it is not the code of a compiler")
		}
		file = filepath.Join(d.dir, name)
		return place(f, c.entry(key), file, key)
	})
	return file, err
}

// find opens an entry for use.
func (c *Cache) find(key string, use func(f *os.File, size int64) error) error {
	entry := c.entry(key)
	info, err := os.Lstat(entry)
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	if err == nil {
		err = open(entry, info, use)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("damaged: %w", err), c.Remove(key))
	}
	if now := time.Now(); now.Sub(info.ModTime()) > noted {
		_ = os.Chtimes(entry, now, now) // else it is compiled anew, some day
	}
	return nil
}

// maxEntry is the largest entry in bytes.
const maxEntry = 1 << 30

// open opens an entry, which must be a file: opening a named pipe, say, would wait for a
// writer.
func open(entry string, info fs.FileInfo, use func(f *os.File, size int64) error) error {
	if !info.Mode().IsRegular() || info.Size() > maxEntry {
		return fmt.Errorf("%s is no entry", entry)
	}
	f, err := os.Open(entry)
	if err != nil {
		return err
	}
	defer f.Close()
	return use(f, info.Size())
}

// place makes an entry that is open and verified a file of a draft: a link to it, or
// a verified copy where there are no links.
func place(f *os.File, entry, file, key string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	_ = os.Remove(file) // of a load that crashed
	if err := os.Link(entry, file); err != nil {
		return replica(f, file, key)
	}
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	if linked, err := os.Lstat(file); err != nil || !os.SameFile(opened, linked) {
		return errors.Join(err, errors.New("it changed while it was read"), os.Remove(file))
	}
	return nil
}

// replica copies an entry, and verifies the copy before it is seen under its name.
func replica(f *os.File, file, key string) error {
	return whole(filepath.Dir(file), file, func(w *os.File) error {
		size, err := io.Copy(w, io.NewSectionReader(f, 0, maxEntry))
		if err != nil {
			return err
		}
		_, err = verify(key, w, size)
		return err
	})
}

// whole makes a file in a directory that is under its name only when it is whole.
func whole(dir, name string, write func(*os.File) error) error {
	w, err := os.CreateTemp(dir, draftPrefix)
	if err != nil {
		return err
	}
	err = errors.Join(write(w), w.Close())
	if err == nil {
		err = os.Rename(w.Name(), name)
	}
	if err != nil {
		_ = os.Remove(w.Name()) // or it is pruned
	}
	return err
}

// Write makes an entry. It is no error that another process was first.
func (c *Cache) Write(key string, content []byte) error {
	return c.first(key, whole(c.dir, c.entry(key), func(w *os.File) error {
		if _, err := w.Write(content); err != nil {
			return err
		}
		return seal(w, key, "")
	}))
}

// first is the error of making an entry, unless another process was first.
func (c *Cache) first(key string, err error) error {
	if err != nil && exists(c.entry(key)) {
		return nil
	}
	return err
}

// Remove removes an entry, if there is one.
func (c *Cache) Remove(key string) error { return os.RemoveAll(c.entry(key)) }

func (c *Cache) entry(key string) string { return filepath.Join(c.dir, key) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// prune removes what has not been used for long. It leaves alone what it does not
// know.
func (c *Cache) prune(now time.Time) error {
	list, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("cache directory: %w", err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			continue // another process removed it
		}
		if age := now.Sub(info.ModTime()); age > lifetime(e.Name()) {
			_ = os.RemoveAll(filepath.Join(c.dir, e.Name())) // or the next time
		}
	}
	return nil
}

// lifetime is how long what has this name is kept.
func lifetime(name string) time.Duration {
	switch {
	case keys().MatchString(name):
		return Unused
	case strings.HasPrefix(name, draftPrefix):
		return abandoned
	}
	return math.MaxInt64
}
