//go:build unix && !linux

package confine

import (
	"os"
	goruntime "runtime"
)

// self is this program.
func self() (string, error) { return os.Executable() }

// restrict has nothing to apply: only Linux lets a process without rights
// confine itself to files.
func restrict() error { return nil }

// Missing says for people what of the confinement is not there.
func (c *Cage) Missing() []string {
	list := []string{
		"files, signals and sockets, for " + goruntime.GOOS + " has no Landlock: they write wherever their user can",
		"privileges: setuid programs work",
	}
	if goruntime.GOOS == "darwin" {
		list = append(list, "memory, which macOS does not limit")
	}
	return append(list, c.missingUser()...)
}
