//go:build unix

package hostfs

import (
	"io/fs"
	"os"
	"syscall"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

// nonblock keeps an open from waiting for the other end of a FIFO that was put
// where a file had been.
const nonblock = syscall.O_NONBLOCK

// isAlias tells whether a name is another spelling of one that the host shows.
func isAlias(string) bool { return false }

// identity is the device and the inode of a file.
func identity(_ opener, info fs.FileInfo) (device, inode uint64) {
	st := info.Sys().(*syscall.Stat_t)
	return uint64(st.Dev), uint64(st.Ino)
}

// flush has the host store what was written to a file or a directory.
func flush(f *os.File) experimental.Errno { return errnoOf(f.Sync()) }
