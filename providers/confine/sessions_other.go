//go:build !linux

package confine

import "os/exec"

// A sessions is nothing where orphans cannot be found.
type sessions struct{}

func (*sessions) adopt()                       {}
func (*sessions) lead(command *exec.Cmd) error { return command.Start() }
func (*sessions) end(int)                      {}
