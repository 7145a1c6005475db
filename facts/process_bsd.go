//go:build !linux && !windows

package facts

import (
	"context"
	"path"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/process"
)

// readProcesses asks ps once for the states, for which gopsutil would start it
// once for each process on macOS, and gopsutil for the rest.
func readProcesses(ctx context.Context) (Processes, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return Processes{}, err
	}
	states := readStates(ctx)
	list := make([]Process, 0, len(pids))
	for _, pid := range pids {
		if err := ctx.Err(); err != nil {
			return Processes{}, err
		}
		if p, err := newProcess(ctx, pid); err == nil { // otherwise it has ended
			p.State = states[pid]
			list = append(list, p)
		}
	}
	sortProcesses(list)
	return Processes{list}, nil
}

func newProcess(ctx context.Context, pid int32) (Process, error) {
	one := process.Process{Pid: pid}
	parent, err := one.PpidWithContext(ctx)
	if err != nil {
		return Process{}, err
	}
	p := Process{PID: pid, ParentPID: &parent}
	describe(ctx, &p)
	if p.Name, _ = one.NameWithContext(ctx); p.Name == "" {
		p.Name = path.Base(p.Executable)
	}
	if n, err := one.NumThreadsWithContext(ctx); err == nil {
		p.Threads = given(n > 0, n)
	}
	return p, nil
}

// readStates is each process's state; empty where ps does not answer.
func readStates(ctx context.Context) map[int32]ProcessState {
	states := map[int32]ProcessState{}
	out, err := output(ctx, "ps", "-axo", "pid=,state=")
	if err != nil {
		return states
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 2 {
			if pid, err := strconv.ParseInt(f[0], 10, 32); err == nil {
				states[int32(pid)] = newProcessState(f[1][0])
			}
		}
	}
	return states
}
