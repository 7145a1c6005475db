package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmagent/wasmagent/internal/private"
)

// Edit makes changes in the file of a name, as Rewrite does. All are made or
// none, and whoever reads the file meanwhile sees it before or after. Its mode
// and its owner stay; a link stays a link. A file that is missing is made, with
// its directory, for the user alone.
//
// If somebody else changes the file meanwhile, theirs holds and Edit is an
// error.
func Edit(name string, changes ...Change) error {
	return EditIf(name, func(Config) error { return nil }, changes...)
}

// EditIf is Edit of a file whose new configuration has to be taken first. It is
// handed to take when all that can be known to fail has not, changed or not: the new
// file then lies beside the one of the name. What take returns is returned, and after
// an error nothing has changed.
func EditIf(name string, take func(Config) error, changes ...Change) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	file, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = name, os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err != nil {
		return err
	}
	unlock, err := lockDir(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("%s: another program is changing files beside it (%w); try again", name, err)
	}
	defer unlock()
	if err := clearDrafts(filepath.Dir(file)); err != nil {
		return err
	}
	before, exists, err := current(file)
	if err != nil {
		return err
	}
	after, err := Rewrite(name, before, changes...)
	if err != nil {
		return err
	}
	c, err := Parse(name, after)
	switch {
	case err != nil:
		return err
	case after == before:
		return take(c)
	}
	return swap(file, before, after, exists, func() error { return take(c) })
}

// The names of files that are to be config.toml begin and end so.
const draftPrefix, draftSuffix = ".wasmagent-", ".toml"

// clearDrafts removes what editors leave that are killed.
func clearDrafts(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), draftPrefix) && strings.HasSuffix(e.Name(), draftSuffix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// current is the text of a file; empty if there is none.
func current(file string) (text string, exists bool, err error) {
	text, err = read(file, MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return text, true, err
}

// swap puts a file with the text after in the place of the one with the text
// before, unless take, which is called when the new one is written, is an error.
func swap(file, before, after string, exists bool, take func() error) error {
	f, err := os.CreateTemp(filepath.Dir(file), draftPrefix+"*"+draftSuffix)
	if err != nil {
		return fmt.Errorf("%s: a new file cannot be written beside it: %w", file, errors.Unwrap(err))
	}
	defer os.Remove(f.Name()) // there is none any more once it is renamed
	_, err = f.WriteString(after)
	if err == nil && exists {
		err = likeness(f, file)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := take(); err != nil {
		return err
	}
	now, there, err := current(file)
	if err == nil && (now != before || there != exists) {
		err = fmt.Errorf("%s: somebody else has changed it meanwhile; nothing was written, try again", file)
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return err
	}
	return private.SyncDir(filepath.Dir(file))
}
