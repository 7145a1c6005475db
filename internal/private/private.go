// Package private makes directories that are the agent's alone. What the agent
// executes lies in one: whoever can write there runs code as the agent.
//
// On Unix that is decided by owners and modes, of the directory and of all
// above it. Elsewhere a directory has the access list of the one above it, and
// only links are refused: use one under the user's profile or %ProgramData%.
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
func Dir(name string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	made := os.MkdirAll(name, 0o700)
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return cmp.Or(made, err)
	case info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0:
		return errors.New("is a symbolic link and no directory; name the directory itself")
	case !info.IsDir():
		return errors.New("is no directory; remove it or name another")
	}
	return check(name, info)
}
