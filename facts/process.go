package facts

import (
	"cmp"
	"slices"
)

// Processes is the running processes.
//
// Command lines are left out on purpose: they hold passwords and tokens. A
// process is known by its name and by the path of its executable.
type Processes struct {
	// Processes is each process, sorted by number.
	Processes []Process `json:"processes"`
}

// Process is one process.
type Process struct {
	// PID is the process's number.
	PID int32 `json:"pid"`
	// ParentPID is the number of the process that started it.
	ParentPID *int32 `json:"parent_pid,omitempty"`
	// Name is the program's name, such as "sshd" or "svchost.exe".
	Name string `json:"name"`
	// Executable is the path of the program's file. It is often absent for other users' processes.
	Executable string `json:"executable,omitempty"`
	// State is what the process is doing.
	State ProcessState `json:"state,omitempty"`
	// User is the name of the user whose rights it has, or the user's number where no name is known.
	User string `json:"user,omitempty"`
	// StartTimeSeconds is when it was started.
	StartTimeSeconds *float64 `json:"start_time_seconds,omitempty"`
	// UserSeconds is the processor time it spent in its own code.
	UserSeconds *float64 `json:"user_seconds,omitempty"`
	// SystemSeconds is the processor time it spent in the kernel.
	SystemSeconds *float64 `json:"system_seconds,omitempty"`
	// ResidentBytes is the physical memory it occupies.
	ResidentBytes *uint64 `json:"resident_bytes,omitempty"`
	// VirtualBytes is the address space it occupies; on Windows, its committed memory.
	VirtualBytes *uint64 `json:"virtual_bytes,omitempty"`
	// Threads is the number of its threads.
	Threads *int32 `json:"threads,omitempty"`
}

// ProcessState is what a process is doing.
type ProcessState string

// The states of processes.
const (
	ProcessRunning  ProcessState = "running"  // runs or is ready to
	ProcessSleeping ProcessState = "sleeping" // waits for something to happen
	ProcessBlocked  ProcessState = "blocked"  // waits for a device and cannot be interrupted
	ProcessIdle     ProcessState = "idle"     // a kernel thread with nothing to do, or a long sleep
	ProcessStopped  ProcessState = "stopped"  // stopped by a signal or a debugger
	ProcessZombie   ProcessState = "zombie"   // ended, and its parent has not asked yet
	ProcessOther    ProcessState = "other"    // something that only this system has
)

// newProcessState translates the one letter that Linux, macOS and BSD use in
// ps and in /proc.
func newProcessState(letter byte) ProcessState {
	switch letter {
	case 'R':
		return ProcessRunning
	case 'S':
		return ProcessSleeping
	case 'D', 'U':
		return ProcessBlocked
	case 'I':
		return ProcessIdle
	case 'T', 't':
		return ProcessStopped
	case 'Z':
		return ProcessZombie
	}
	return ProcessOther
}

func sortProcesses(list []Process) {
	slices.SortFunc(list, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
}
