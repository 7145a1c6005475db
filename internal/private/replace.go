package private

import (
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
)

// Replace puts a new file, which fill writes, in the place of the one of a name. All
// of it is there or nothing, also after a crash, and whoever reads the file meanwhile
// sees it before or after. The new file is for its owner alone unless fill says
// otherwise.
func Replace(name string, fill func(*os.File) error) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // there is none any more once it is renamed
	if err := errors.Join(fill(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return SyncDir(dir)
}

// SyncDir makes the names in a directory last. Windows sees to that itself.
func SyncDir(name string) error {
	if goruntime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
