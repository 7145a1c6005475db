//go:build !unix

package private

import "io/fs"

// Exposed leaves access lists to the directory above, and is never true.
func Exposed(fs.FileInfo) bool { return false }
