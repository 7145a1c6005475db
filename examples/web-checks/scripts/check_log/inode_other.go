//go:build !unix && !wasip1

package main

import "io/fs"

// inode is 0: the system has no such number.
func inode(fs.FileInfo) uint64 { return 0 }
