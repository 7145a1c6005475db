package guestfs

import (
	"io/fs"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

// A fixed is a file system in which no name can be made, changed or removed, and
// none is a link.
type fixed struct{ experimental.UnimplementedFS }

// Readlink is EINVAL.
func (fixed) Readlink(string) (string, experimental.Errno) { return "", experimental.EINVAL }

// Mkdir is EROFS, as are all the following.
func (fixed) Mkdir(string, fs.FileMode) experimental.Errno { return experimental.EROFS }

// Chmod is EROFS.
func (fixed) Chmod(string, fs.FileMode) experimental.Errno { return experimental.EROFS }

// Rename is EROFS.
func (fixed) Rename(string, string) experimental.Errno { return experimental.EROFS }

// Rmdir is EROFS.
func (fixed) Rmdir(string) experimental.Errno { return experimental.EROFS }

// Unlink is EROFS.
func (fixed) Unlink(string) experimental.Errno { return experimental.EROFS }

// Link is EROFS.
func (fixed) Link(string, string) experimental.Errno { return experimental.EROFS }

// Symlink is EROFS.
func (fixed) Symlink(string, string) experimental.Errno { return experimental.EROFS }

// Utimens is EROFS.
func (fixed) Utimens(string, int64, int64) experimental.Errno { return experimental.EROFS }
