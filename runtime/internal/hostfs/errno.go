package hostfs

import (
	"errors"
	"io/fs"
	"syscall"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

// Errnos that WASI has and wazero has not: 1<<15 and WASI's number. wazero shows
// guests EIO for what it does not know.
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#errno
const (
	// EDQUOT is the errno of what the quota does not allow.
	EDQUOT experimental.Errno = 1<<15 | 19
	// ENOSPC is the errno of what the host has no room for.
	ENOSPC experimental.Errno = 1<<15 | 51
	// EXDEV is the errno of a rename to another file system.
	EXDEV experimental.Errno = 1<<15 | 75
)

// again asks that a path is resolved anew, for what it led to was replaced
// meanwhile. No guest sees it.
const again experimental.Errno = 1 << 14

// errnoOf is the errno for an error of package os.
func errnoOf(err error) experimental.Errno {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, fs.ErrNotExist):
		return experimental.ENOENT
	case errors.Is(err, fs.ErrPermission):
		return experimental.EACCES
	case errors.Is(err, syscall.ENOSPC):
		return ENOSPC
	case errors.Is(err, syscall.EDQUOT):
		return EDQUOT
	case errors.Is(err, syscall.EXDEV):
		return EXDEV
	}
	return experimental.UnwrapOSError(err)
}
