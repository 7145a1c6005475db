//go:build unix

package access

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// likeness gives a draft the mode and the owner of the file that it is to
// replace. A new file belongs to the owner of its directory, so that the agent can
// read what root has made for it.
func likeness(f *os.File, name string) error {
	mode := os.FileMode(0o600)
	like, err := os.Stat(name)
	if err == nil {
		mode = like.Mode().Perm()
	} else if like, err = os.Stat(filepath.Dir(name)); err != nil {
		return err
	}
	owner, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.ErrUnsupported
	}
	if os.Geteuid() == 0 {
		err = f.Chown(int(owner.Uid), int(owner.Gid))
	}
	return errors.Join(err, f.Chmod(mode))
}
