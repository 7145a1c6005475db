// Package errno has the errors of WASI preview 1 that wazero's file system knows
// nothing of, such as ECONNREFUSED.
//
// A file system returns them like wazero's own. wazero hands EIO to the guest
// for what it does not know; Of tells what to hand out instead.
//
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#errno
package errno

import experimental "github.com/tetratelabs/wazero/experimental/sys"

// first is where wazero's numbers have ended for certain.
const first experimental.Errno = 1 << 8

// The errors, each the number of WASI behind first.
const (
	ECONNREFUSED = first + 14
	ECONNRESET   = first + 15
	EDQUOT       = first + 19
	EHOSTUNREACH = first + 23
	ENOSPC       = first + 51
	ENXIO        = first + 60
	EPIPE        = first + 64
	EPROTO       = first + 65
	ESPIPE       = first + 70
	ETIMEDOUT    = first + 73
	EXDEV        = first + 75
)

// EIO is WASI's number of what wazero does not know.
const EIO = 29

// Of is the number by which WASI knows an error of this package. It is EIO for
// those of wazero, which have numbers already.
func Of(e experimental.Errno) uint64 {
	if e < first {
		return EIO
	}
	return uint64(e - first)
}

// Name is the name of an error, such as "ENOENT"; empty for none.
func Name(e experimental.Errno) string {
	if e == 0 {
		return ""
	}
	if name, ok := names[e]; ok {
		return name
	}
	return e.Error()
}

var names = map[experimental.Errno]string{
	ECONNREFUSED: "ECONNREFUSED", ECONNRESET: "ECONNRESET", EDQUOT: "EDQUOT", EHOSTUNREACH: "EHOSTUNREACH", ENOSPC: "ENOSPC", ENXIO: "ENXIO",
	EPIPE: "EPIPE", EPROTO: "EPROTO", ESPIPE: "ESPIPE", ETIMEDOUT: "ETIMEDOUT", EXDEV: "EXDEV",
	experimental.EACCES: "EACCES", experimental.EAGAIN: "EAGAIN", experimental.EBADF: "EBADF", experimental.EEXIST: "EEXIST",
	experimental.EINVAL: "EINVAL", experimental.EIO: "EIO", experimental.EISDIR: "EISDIR", experimental.ELOOP: "ELOOP",
	experimental.ENAMETOOLONG: "ENAMETOOLONG", experimental.ENOENT: "ENOENT", experimental.ENOSYS: "ENOSYS",
	experimental.ENOTDIR: "ENOTDIR", experimental.ENOTEMPTY: "ENOTEMPTY", experimental.ENOTSUP: "ENOTSUP",
	experimental.EPERM: "EPERM", experimental.EROFS: "EROFS",
}
