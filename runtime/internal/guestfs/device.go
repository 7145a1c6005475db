package guestfs

import (
	"strings"

	experimental "github.com/tetratelabs/wazero/experimental/sys"
)

// A device makes the file system that begins at a path, for one run.
type device func(m *Mount, at string) (experimental.FS, error)

// isDevice tells whether a path belongs to a device, whether there is one or not.
func isDevice(clean string) bool {
	first, _, _ := strings.Cut(clean[1:], "/")
	return first == "dev" || first == "command" || first == "state" || strings.HasPrefix(clean, "/files/")
}

// device returns the device that a path leads to, and where it begins; nil for
// what is in the tree.
func (r *Root) device(clean string) (at string, open device) {
	top := 1
	if strings.HasPrefix(clean, "/files/") {
		top = len("/files/")
	}
	at = clean
	if end := strings.IndexByte(clean[top:], '/'); end >= 0 {
		at = clean[:top+end]
	}
	return at, r.devices[at]
}
