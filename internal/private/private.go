// Package private makes directories that are the agent's alone, and reads files
// that others may have had their hands on. What the agent executes lies in such a
// directory: whoever can write there runs code as the agent.
//
// On Unix a directory's access is decided by owners and modes, its own and those
// of all above it. Elsewhere it has the access list of the one above it, and only
// links are refused: use one under the user's profile or %ProgramData%.
//
// The package imports only the standard library, holds no state and is safe for
// concurrent use.
package private

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir creates a directory with its parents if it is missing, for the agent's
// user only. It refuses one that is a link, that belongs to or can be accessed
// by another user, or that lies where another user could put another in its
// place. The error says what to do, and leaves it to the caller to name the
// directory.
func Dir(name string) error { return directory(name, 0o700) }

// Passable is Dir for a directory that other users can pass through: they can
// open what is in it if they know its name and its own mode lets them, and can
// neither list nor change it.
func Passable(name string) error { return directory(name, 0o711) }

// directory creates a directory with a mode, or refuses the one that is there.
func directory(name string, mode fs.FileMode) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	made := os.MkdirAll(name, mode)
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return cmp.Or(made, err)
	case info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0:
		return errors.New("is a symbolic link and no directory; name the directory itself")
	case !info.IsDir():
		return errors.New("is no directory; remove it or name another")
	}
	if err := check(name, info, mode); err != nil || info.Mode().Perm() == mode {
		return err
	}
	return os.Chmod(name, mode)
}
