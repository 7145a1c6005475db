package codecache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A Draft is a directory for a compiler: the files that it makes there become entries, and
// entries that it is to find are linked there. One whose maker crashed is removed after a
// day.
type Draft struct {
	cache *Cache
	dir   string
}

// Draft makes a directory. Discard must be called in the end.
func (c *Cache) Draft() (*Draft, error) {
	dir, err := os.MkdirTemp(c.dir, draftPrefix)
	if err != nil {
		return nil, err
	}
	return &Draft{c, dir}, nil
}

// Dir is the directory.
func (d *Draft) Dir() string { return d.dir }

// ErrNoCode is the error of publishing a draft without a file.
var ErrNoCode = errors.New("there is no code")

// Publish makes the one file in the draft, in whatever directory it is there, the
// entry under key. It is no error that another process was first.
func (d *Draft) Publish(key string) error {
	if exists(d.cache.entry(key)) {
		return nil // it may be in use
	}
	file, err := d.file()
	if err != nil {
		return err
	}
	name, err := filepath.Rel(d.dir, file)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(seal(f, key, name), f.Close()); err != nil {
		return err
	}
	return d.cache.first(key, os.Rename(file, d.cache.entry(key)))
}

// file is the one file in the draft.
func (d *Draft) file() (file string, err error) {
	err = filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || e.IsDir():
			return err
		case file != "" || !e.Type().IsRegular():
			return fmt.Errorf("%s is more than the one file of code", path)
		}
		file = path
		return nil
	})
	if err == nil && file == "" {
		err = ErrNoCode
	}
	return file, err
}

// Discard removes the directory with what is in it. What it cannot remove is pruned
// later.
func (d *Draft) Discard() { _ = os.RemoveAll(d.dir) }
