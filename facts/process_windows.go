package facts

import (
	"context"
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
)

// readProcesses takes one snapshot of all processes, where gopsutil would take
// one for each. Windows gives a process no state.
func readProcesses(ctx context.Context) (Processes, error) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return Processes{}, err
	}
	defer windows.CloseHandle(snapshot)
	list := []Process{}
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if err := ctx.Err(); err != nil {
			return Processes{}, err
		}
		list = append(list, newProcess(ctx, entry))
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return Processes{}, err
	}
	sortProcesses(list)
	return Processes{list}, nil
}

func newProcess(ctx context.Context, entry windows.ProcessEntry32) Process {
	p := Process{
		PID:       int32(entry.ProcessID),
		ParentPID: new(int32(entry.ParentProcessID)),
		Name:      windows.UTF16ToString(entry.ExeFile[:]),
		Threads:   new(int32(entry.Threads)),
	}
	describe(ctx, &p)
	return p
}
