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

// Give makes a directory another user's alone, for an agent that runs as root and
// is to become that user. One that is there already may be that user's, or root's if
// there is nothing in it; its mode is the user's affair. What is on the way to it is
// made for root, unless a directory on the way is that user's already: the rest is
// left to that user then. Nobody else may have a say in what is on the way.
func Give(name string, uid, gid int) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	above := filepath.Dir(name)
	if theirs, err := way(above, uid); err != nil || theirs {
		return err
	}
	if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("is no directory; remove it or name another")
	case owner(info) == uid:
		return nil
	case owner(info) != 0:
		return fmt.Errorf("belongs to user %d, and the agent is to run as user %d; remove it or name another", owner(info), uid)
	}
	if err := wantEmpty(name, uid); err != nil {
		return err
	}
	return os.Lchown(name, uid, gid)
}

// way makes the directories up to dir for root, and wants all of them to be in
// nobody else's hands. It tells whether dir is in those of the user.
func way(dir string, uid int) (theirs bool, err error) {
	if dir == filepath.Dir(dir) {
		return false, nil
	}
	if theirs, err := way(filepath.Dir(dir), uid); err != nil || theirs {
		return theirs, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	info, err := os.Lstat(dir)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && owner(info) == 0 {
		return throughLink(dir, uid)
	}
	switch {
	case err != nil:
		return false, err
	case !info.IsDir():
		return false, fmt.Errorf("%s, above it, is no directory of root's; name another directory", dir)
	case owner(info) == uid:
		return true, nil
	case owner(info) != 0:
		return false, fmt.Errorf("%s, above it, belongs to user %d, who can replace it; name another directory", dir, owner(info))
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0:
		return false, fmt.Errorf("others can write to %s, above it (mode %#o), and so replace it; chmod go-w that, or name another directory", dir, info.Mode().Perm())
	}
	return false, nil
}

// throughLink is way for a link of root's.
func throughLink(link string, uid int) (theirs bool, err error) {
	real, err := filepath.EvalSymlinks(link)
	if err != nil {
		return false, err
	}
	return way(real, uid)
}

// wantEmpty refuses a directory of root's in which there is something.
func wantEmpty(dir string, uid int) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("belongs to root and is not empty, and the agent is to run as user %d; if all in it is the agent's, run: chown -R %d %s", uid, uid, dir)
	}
	return err
}

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
