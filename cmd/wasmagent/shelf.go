package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/trust"
)

// A shelf is the directory with the modules that were installed: "installed" in
// the modules directory.
//
// Each version of a module lies in a directory of its own, which does not change
// once it is whole. config.toml says by its path which one counts. So changing
// config.toml is the one step that installs, upgrades or removes, and a process
// that is killed before or after it leaves a directory that nobody looks into and
// the next change takes away.
type shelf struct {
	dir    string
	config string // the file config.toml
}

// newShelf is the shelf of a configuration.
func newShelf(c config.Config) shelf {
	return shelf{filepath.Join(c.Directories.Modules, "installed"), cmp.Or(c.File, config.System())}
}

// put adds a version of a module and makes the changes that its file needs. After
// an error, all is as it was.
func (s shelf) put(name string, p fetch.Parcel, changes func(file string) ([]config.Change, error)) error {
	return s.alone(func() error {
		file, err := s.add(name, p)
		if err != nil {
			return err
		}
		list, err := changes(file)
		if err != nil {
			return err
		}
		return config.Edit(s.config, list...)
	})
}

// remove takes a module away.
func (s shelf) remove(name string) error {
	return s.alone(func() error { return config.Edit(s.config, config.Remove(name)) })
}

// alone changes the shelf while nobody else does, and takes away what config.toml
// does not name before and after.
func (s shelf) alone(change func() error) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	lock, err := lockedfile.OpenFile(filepath.Join(s.dir, ".config"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := s.own(lock); err != nil {
		return err
	}
	if err := s.sweep(); err != nil {
		return err
	}
	return errors.Join(change(), s.sweep())
}

// own notes in the lock's file whose shelf this is: another config.toml that has
// the same modules directory names other versions, which are not to be swept.
func (s shelf) own(lock *lockedfile.File) error {
	self, err := filepath.Rel(s.dir, s.config)
	if err != nil {
		self = s.config
	}
	owner, err := io.ReadAll(io.LimitReader(lock, 4096))
	if err == nil && len(owner) == 0 {
		_, err = lock.WriteString(self)
		return err
	}
	if err == nil && string(owner) != self {
		err = fmt.Errorf("%s: holds the modules of %s; give %s a modules directory of its own, or remove the file %s if there is no such configuration any more",
			s.dir, filepath.Join(s.dir, string(owner)), s.config, lock.Name())
	}
	return err
}

// add writes a version of a module, and returns the name of the zip.
func (s shelf) add(name string, p fetch.Parcel) (file string, err error) {
	dir, err := os.MkdirTemp(s.dir, name+"-")
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, name+".zip")
	err = writePublic(file, p.Archive)
	if p.Signature != nil {
		err = errors.Join(err, writePublic(file+trust.Extension, p.Signature))
	}
	return file, errors.Join(err, os.Chmod(dir, 0o755), private.SyncDir(dir), private.SyncDir(s.dir))
}

// writePublic writes a new file that every user can read, for the agent's is
// another one than who installs.
func writePublic(name string, data []byte) error {
	if err := writeNew(name, data, 0o644); err != nil {
		return err
	}
	return os.Chmod(name, 0o644)
}

// path is how config.toml names a file: from its own directory, if it is below
// that.
func (s shelf) path(file string) string {
	if below, err := filepath.Rel(filepath.Dir(s.config), file); err == nil && filepath.IsLocal(below) {
		return filepath.ToSlash(below)
	}
	return file
}

// sweep removes the versions that config.toml does not name.
func (s shelf) sweep() error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && e.IsDir() && !names(c, info) {
			err = os.RemoveAll(filepath.Join(s.dir, e.Name()))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// configuration is what config.toml says now.
func (s shelf) configuration() (config.Config, error) {
	if _, err := os.Stat(s.config); errors.Is(err, fs.ErrNotExist) {
		return config.Config{}, nil
	}
	return config.Load(s.config)
}

// names tells whether a configuration names something in a directory, however it
// spells that.
func names(c config.Config, dir os.FileInfo) bool {
	for _, m := range c.Modules {
		if there, err := os.Stat(filepath.Dir(m.Path)); m.Path != "" && err == nil && os.SameFile(there, dir) {
			return true
		}
	}
	return false
}
