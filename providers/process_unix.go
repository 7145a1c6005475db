//go:build unix

package providers

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers/confine"
)

// programSuffix ends the file names of programs.
const programSuffix = ""

// systemPath lists the directories of the system's own programs.
func systemPath() []string {
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}

// environment is all of the environment of a host process that runs in a
// directory, the only one that it may write to.
func environment(path []string, dir string) []string {
	return []string{"PATH=" + strings.Join(path, ":"), "LANG=C", "TMPDIR=" + dir}
}

// isProgram tells whether a file can be executed.
func isProgram(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// maxInherited is the number above which nobody leaves a descriptor open in a
// program that it starts.
const maxInherited = 4096

// keepDescriptors keeps host processes from inheriting what the agent itself
// inherited. What the agent opens it keeps to itself anyway.
func keepDescriptors() {
	for fd := 3; fd < maxInherited; fd++ {
		syscall.CloseOnExec(fd)
	}
}

// A group is a process with everything that it starts.
type group struct {
	cmd    *exec.Cmd
	cage   *confine.Cage
	limits policy.Limits
}

// newGroup prepares a command to lead a group of its own.
func newGroup(c *exec.Cmd, p process) group { return group{c, p.cage, p.limits} }

func (g group) start() error { return g.cage.Start(g.cmd, g.limits) }

// kill ends every process of the group. A process cannot refuse it.
func (g group) kill() error { return g.cage.Kill(g.cmd) }

// end ends what the leader left behind.
func (g group) end() { g.cage.End(g.cmd) }

// signalOf says which signal ended the process; empty if none did.
func signalOf(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return ""
	}
	return fmt.Sprintf("the script was killed by signal %d (%v)", status.Signal(), status.Signal())
}

// meaning explains the exit statuses that shells give a meaning.
func meaning(status int64) string {
	switch {
	case status == 126:
		return "the script, or a program that it calls, cannot be executed"
	case status == 127:
		return "a program that the script calls was not found in PATH"
	case status > 128 && status < 128+65:
		return fmt.Sprintf("a program that the script calls was killed by signal %d (%v)", status-128, syscall.Signal(status-128))
	}
	return ""
}
