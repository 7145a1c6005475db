//go:build unix

package toolchain

import (
	"os/exec"
	"syscall"
)

// endTogether has a compiler and what it starts be one process group, which is
// asked to end where the compiler alone would be killed: those that it started
// would go on, and its temporary files stay.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}

// killRest kills what is left of the group of a compiler that was cancelled.
func killRest(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
