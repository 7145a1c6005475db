//go:build unix

package private

import "io/fs"

// Exposed tells whether a file with a secret can be read by users who are neither
// its owner nor of its group, or written by others than its owner.
func Exposed(info fs.FileInfo) bool { return info.Mode().Perm()&0o027 != 0 }
