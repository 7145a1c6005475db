//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// writable tells whether every user can write the file.
func writable(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }

// foreign tells whether the file belongs to neither this user nor root.
func foreign(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid()
}

// administers tells whether this user is root.
func administers() bool { return os.Geteuid() == 0 }
