package config

import (
	"fmt"
	"os"
)

// checkOwner refuses a file that belongs to neither the agent's user nor root:
// one that was found rather than named may have been laid there.
func checkOwner(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if foreign(info) {
		return fmt.Errorf("%s: belongs to another user; if you trust it, name it with --config %s", name, name)
	}
	return nil
}
