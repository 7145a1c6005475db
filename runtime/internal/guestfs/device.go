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
	at = clean
	if n := 2; strings.HasPrefix(clean, "/files/") {
		segments := strings.SplitN(clean, "/", n+2)
		at = strings.Join(segments[:n+1], "/")
	} else if first, _, found := strings.Cut(clean[1:], "/"); found {
		at = "/" + first
	}
	return at, r.devices[at]
}
