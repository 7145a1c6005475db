//go:build unix

package confine

import (
	"fmt"
	"io/fs"
	"os"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// find looks a user up by name and makes sure that the agent can become it.
func find(name string) (*user, error) {
	account, err := osuser.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("native.user %q: there is no such user in /etc/passwd; create it", name)
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	switch {
	case uidErr != nil || gidErr != nil:
		return nil, fmt.Errorf("native.user %q: has no numeric user and group", name)
	case uid == 0:
		return nil, fmt.Errorf("native.user %q: is root; name a user without rights", name)
	case os.Geteuid() != 0:
		return nil, fmt.Errorf("native.user %q: only an agent that runs as root can start processes as another user; run it as root, or leave the user out", name)
	}
	return &user{uid, gid}, nil
}

// Reaches tells whether processes can get to a directory, if they have a user of
// their own. The error names the directory on the way that stops them.
func (c *Cage) Reaches(dir string) error {
	if c.user == nil {
		return nil
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for dir := real; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !c.user.passes(info) {
			return fmt.Errorf("user %s of native scripts cannot pass through %s (mode %#o); chmod that, or name another directory", c.Limits.User, dir, info.Mode().Perm())
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// passes tells whether the user can pass through a directory.
func (u user) passes(info fs.FileInfo) bool {
	switch stat := info.Sys().(*syscall.Stat_t); {
	case int(stat.Uid) == u.UID:
		return info.Mode().Perm()&0o100 != 0
	case int(stat.Gid) == u.GID:
		return info.Mode().Perm()&0o010 != 0
	}
	return info.Mode().Perm()&0o001 != 0
}

// asRoot tells whether processes run as root.
func (c *Cage) asRoot() bool { return c.user == nil && os.Geteuid() == 0 }
