//go:build unix || wasip1

package main

import (
	"io/fs"
	"syscall"
)

// inode is the system's number of a file.
func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
