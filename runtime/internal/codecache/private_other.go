//go:build !unix

package codecache

import (
	"errors"
	"io/fs"
	"os"
)

// checkPrivate wants dir to be a directory and no link to one.
func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0:
		return errors.New("is a link; name the directory itself")
	case !info.IsDir():
		return errors.New("is not a directory; remove it or name another")
	}
	return nil
}
