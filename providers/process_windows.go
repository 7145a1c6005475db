package providers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasmagent/wasmagent/providers/confine"
)

// programSuffix ends the file names of programs.
const programSuffix = ".exe"

// systemPath lists the directories of the system's own programs.
func systemPath() []string {
	root := systemRoot()
	system := filepath.Join(root, "System32")
	return []string{system, root, filepath.Join(system, "Wbem"), filepath.Join(system, "WindowsPowerShell", "v1.0")}
}

// systemRoot is asked of the system and not of the environment.
func systemRoot() string {
	root, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return `C:\Windows`
	}
	return root
}

// environment is all of the environment of a host process that runs in a
// directory: without SystemRoot most programs do not start.
func environment(path []string, dir string) []string {
	root := systemRoot()
	return []string{
		"PATH=" + strings.Join(path, ";"),
		"PATHEXT=.COM;.EXE;.BAT;.CMD",
		"SystemRoot=" + root,
		"SystemDrive=" + filepath.VolumeName(root),
		"windir=" + root,
		"ComSpec=" + filepath.Join(root, "System32", "cmd.exe"),
		"TEMP=" + dir,
		"TMP=" + dir,
	}
}

// isProgram tells whether a file can be executed.
func isProgram(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

// keepDescriptors does nothing: a process inherits only the handles that it is
// named.
func keepDescriptors() {}

// A group is a process with everything that it starts: a job object, which
// nothing leaves.
type group struct {
	cmd    *exec.Cmd
	limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	job    windows.Handle
}

// newGroup prepares a command to wait for its job. A line takes the place of
// its argv.
func newGroup(c *exec.Cmd, p process) *group {
	c.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CmdLine: p.line, CreationFlags: windows.CREATE_SUSPENDED}
	return &group{cmd: c, limits: jobLimits(p.cage.Limits, confine.CPU(p.limits.Time))}
}

// jobLimits are the limits of a job. Its processes end with it, and when they
// have taken so much CPU time; what would take them over another one fails.
func jobLimits(native confine.Config, cpu time.Duration) (info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION) {
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_JOB_MEMORY |
		windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS | windows.JOB_OBJECT_LIMIT_JOB_TIME
	info.BasicLimitInformation.PerJobUserTimeLimit = int64(cpu / (100 * time.Nanosecond)) // its unit
	info.BasicLimitInformation.ActiveProcessLimit = uint32(native.Processes)
	info.JobMemoryLimit = uintptr(min(uint64(native.Memory), uint64(^uintptr(0))))
	return info
}

// start starts the process inside of a new job. It is created suspended, so
// that it cannot start another one before it is in the job.
func (g *group) start() error {
	c := g.cmd
	job, err := newJob(g.limits)
	if err != nil {
		return err
	}
	g.job = job
	if err := c.Start(); err != nil {
		g.end()
		return err
	}
	if err := g.admit(uint32(c.Process.Pid)); err != nil {
		_ = c.Process.Kill()
		_ = c.Wait()
		g.end()
		return fmt.Errorf("its job: %w", err)
	}
	return nil
}

// newJob creates a job with limits.
func newJob(info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION) (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, fmt.Errorf("creating a job: %w", err)
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		_ = windows.CloseHandle(job)
		return 0, fmt.Errorf("configuring a job: %w", err)
	}
	return job, nil
}

// admit takes a suspended process into the job and lets it run.
func (g *group) admit(pid uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process)
	if err := windows.AssignProcessToJobObject(g.job, process); err != nil {
		return err
	}
	return resume(pid)
}

// resume lets the first thread of a suspended process run.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID == pid {
			return resumeThread(entry.ThreadID)
		}
	}
	return errors.Join(errors.New("its first thread was not found"), err)
}

func resumeThread(id uint32) error {
	thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, id)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(thread)
	_, err = windows.ResumeThread(thread)
	return err
}

// kill ends every process of the job.
func (g *group) kill() error { return windows.TerminateJobObject(g.job, 1) }

// end ends what the first process left behind.
func (g *group) end() { _ = windows.CloseHandle(g.job) }

// signalOf is empty: nothing on Windows ends by a signal.
func signalOf(*os.ProcessState) string { return "" }

// meaning explains the exit statuses that cmd.exe and the system give a meaning.
func meaning(status int64) string {
	switch uint32(status) {
	case 9009:
		return "a program that the script calls was not found in PATH"
	case 0xC0000005:
		return "the script, or a program that it calls, crashed: access violation"
	case 0xC00000FD:
		return "the script, or a program that it calls, crashed: stack overflow"
	}
	return ""
}
