//go:build unix

package confine

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasmagent/wasmagent/policy"
)

// name is the first word of a shim's argument vector. The others are the rules,
// the program and the program's argument vector.
const name = "wasmagent: confine"

// report is the descriptor on which a shim says why it could not become the
// program. Nothing is written if it could.
const report = 3

// maxReport is the most bytes of a report.
const maxReport = 4096

// rules are what a shim is told.
type rules struct {
	User      *user `json:",omitempty"`
	CPU       int64 // seconds
	Memory    int64 // bytes
	FileSize  int64 // bytes
	OpenFiles int64 // descriptors
	Processes int64 `json:",omitempty"` // of User
}

// Start starts a command that was made ready but not started, confined to its
// working directory, in a session of its own. The command is the caller's to
// wait for, unless there is an error.
func (c *Cage) Start(command *exec.Cmd, limits policy.Limits) error {
	if c.shim == nil {
		return errors.New("there is no program to confine it with")
	}
	text, err := json.Marshal(c.rules(limits))
	if err != nil {
		return err
	}
	reports, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reports.Close()
	command.Args = slices.Concat([]string{name, string(text), command.Path}, command.Args)
	command.Path, command.ExtraFiles = c.shim.program, []*os.File{ours}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = c.shim.sessions.lead(command)
	ours.Close()
	if err != nil {
		return err
	}
	reason, err := io.ReadAll(io.LimitReader(reports, maxReport))
	if len(reason) == 0 && err == nil {
		return nil
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	c.End(command)
	return cmp.Or(err, errors.New(string(reason)))
}

// Kill ends the process of a started command with its process group.
func (c *Cage) Kill(command *exec.Cmd) error {
	return syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
}

// End ends what a command has left behind that was started and waited for.
func (c *Cage) End(command *exec.Cmd) {
	// Its number names the group for as long as there is a member; once there is
	// none, ESRCH is what is wanted.
	_ = c.Kill(command)
	c.shim.sessions.end(command.Process.Pid)
}

func (c *Cage) rules(limits policy.Limits) rules {
	r := rules{
		User:      c.user,
		CPU:       int64(CPU(limits.Time).Seconds()),
		Memory:    int64(c.Limits.Memory),
		FileSize:  int64(c.Limits.FileSize),
		OpenFiles: int64(limits.OpenFiles),
	}
	if c.user != nil {
		r.Processes = int64(c.Limits.Processes)
	}
	return r
}

// Main returns at once in a process that is no shim. In one that is it never
// returns. It has to come before anything else in main.
func Main() {
	if len(os.Args) < 4 || os.Args[0] != name {
		return
	}
	goruntime.LockOSThread() // what holds for a thread holds for what it executes
	unix.CloseOnExec(report)
	err := become(os.Args[1], os.Args[2], os.Args[3:])
	_, _ = syscall.Write(report, []byte(err.Error()))
	os.Exit(1)
}

// become confines this process and executes a program in it. It returns only if
// that is not possible.
func become(text, program string, argv []string) error {
	var r rules
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return fmt.Errorf("cannot be confined: its rules: %w", err)
	}
	if err := r.apply(); err != nil {
		return fmt.Errorf("cannot be confined: %w", err)
	}
	return execute(program, argv, os.Environ(), r.limit)
}

// apply confines this process, but for its limits.
func (r rules) apply() error {
	if r.User != nil {
		if err := r.User.become(); err != nil {
			return err
		}
	}
	return restrict()
}

// become gives up the rights of root for those of a user. There is no way back.
func (u user) become() error {
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("leaving the groups of root: %w", err)
	}
	if err := syscall.Setgid(u.GID); err != nil {
		return fmt.Errorf("becoming group %d: %w", u.GID, err)
	}
	if err := syscall.Setuid(u.UID); err != nil {
		return fmt.Errorf("becoming user %d: %w", u.UID, err)
	}
	return nil
}
