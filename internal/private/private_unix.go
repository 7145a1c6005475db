//go:build unix

package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// check wants the directory dir to be one that others can use no more than a
// mode says, and that nobody else can replace.
func check(dir string, info fs.FileInfo, mode fs.FileMode) error {
	if owner(info) != os.Geteuid() {
		return fmt.Errorf("belongs to user %d, and the agent runs as user %d: whoever can write there runs code as the agent; name a directory of its own", owner(info), os.Geteuid())
	}
	if info.Mode().Perm()&0o077&^mode != 0 {
		return fmt.Errorf("others can access it (mode %#o), and whoever can write there runs code as the agent; chmod %o it", info.Mode().Perm(), mode)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if real == dir {
		return checkAbove(dir)
	}
	return errors.Join(checkAbove(dir), checkAbove(real))
}

// checkAbove wants nobody but root and the agent's user to be able to rename what
// is on the way to path.
func checkAbove(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		if uid := owner(info); uid != 0 && uid != os.Geteuid() {
			return fmt.Errorf("%s, above it, belongs to user %d, who can replace it; name another directory", dir, uid)
		}
		if info.IsDir() && replaceable(info) {
			return fmt.Errorf("others can write to %s, above it (mode %#o), and so replace it; chmod go-w that, or name another directory", dir, info.Mode().Perm())
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// replaceable tells whether other users can rename what is in a directory: those
// who may write to it, unless it is sticky. Members of the agent's own primary
// group may, for on many systems each user has a group to itself and writes for it.
func replaceable(info fs.FileInfo) bool {
	var writers fs.FileMode = 0o002
	if group(info) != os.Getegid() {
		writers |= 0o020
	}
	return info.Mode().Perm()&writers != 0 && info.Mode()&fs.ModeSticky == 0
}

func owner(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }

func group(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Gid) }
