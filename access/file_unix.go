//go:build unix

package access

import "io/fs"

// exposed tells whether users can read the file who are neither its owner nor of
// its group, or write it who are not its owner.
func exposed(info fs.FileInfo) bool { return info.Mode().Perm()&0o027 != 0 }
