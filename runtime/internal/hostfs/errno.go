package hostfs

import (
	"errors"
	"io/fs"
	"syscall"

	experimental "github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasmagent/wasmagent/runtime/internal/errno"
)

// The errnos that wazero has not.
const (
	EDQUOT = errno.EDQUOT // what the quota does not allow
	ENOSPC = errno.ENOSPC // what the host has no room for
	EXDEV  = errno.EXDEV  // a rename to another file system
)

// again asks that a path is resolved anew, for what it led to was replaced
// meanwhile. No guest sees it.
const again experimental.Errno = 1 << 15

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
