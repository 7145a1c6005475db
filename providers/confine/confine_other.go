//go:build !unix

package confine

import "errors"

// Main returns at once: there is no shim on this system.
func Main() {}

// self is empty: there is no shim on this system.
func self() (string, error) { return "", nil }

// find refuses a user.
func find(string) (*user, error) {
	return nil, errors.New("native.user: there is no way to start processes as another user on this system; leave it out")
}

// Reaches is nil: processes are the agent's user.
func (c *Cage) Reaches(string) error { return nil }

// Missing says for people what of the confinement is not there.
func (c *Cage) Missing() []string {
	return []string{
		"files: they read and write whatever the agent's user can",
		"the size and the number of open files",
		"the user: they are the agent's",
	}
}
