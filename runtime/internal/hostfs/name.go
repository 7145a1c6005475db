package hostfs

import (
	"path/filepath"
	"strings"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

const (
	// MaxPath is the longest path in bytes.
	MaxPath = 4096
	// MaxName is the longest name of one file or directory in bytes.
	MaxName = 255
	// MaxDepth is the most names in a path.
	MaxDepth = 32
)

// checkPath refuses paths that are too long or deep, and names that are not the
// same on every system: a backslash separates on some, a colon names a drive or a
// stream, and some names are devices.
func checkPath(rel string) experimental.Errno {
	if len(rel) > MaxPath || strings.Count(rel, "/") >= MaxDepth {
		return experimental.ENAMETOOLONG
	}
	if _, err := filepath.Localize(rel); err != nil || strings.ContainsAny(rel, "\\:\x00") {
		return experimental.EINVAL
	}
	if rel == "." {
		return 0
	}
	for name := range strings.SplitSeq(rel, "/") {
		switch {
		case len(name) > MaxName:
			return experimental.ENAMETOOLONG
		case isAlias(name):
			return experimental.EINVAL
		}
	}
	return 0
}
