package facts

import (
	"context"
	goruntime "runtime"
	"strconv"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/load"
)

// Load is how much is waiting to run.
type Load struct {
	// Load1 is the average number of tasks that run or wait to, over the last minute.
	Load1 float64 `json:"load1"`
	// Load5 is the same over five minutes.
	Load5 float64 `json:"load5"`
	// Load15 is the same over fifteen minutes.
	Load15 float64 `json:"load15"`
	// Emulated tells that the system keeps no load averages and the agent computes them, from zero when it starts.
	Emulated bool `json:"emulated"`
	// LogicalCores is the number of processors that share the load.
	LogicalCores int `json:"logical_cores"`
	// TasksRunning is the number of tasks that run or are ready to. A task is a thread on Linux and a process elsewhere.
	TasksRunning *uint64 `json:"tasks_running,omitempty"`
	// TasksBlocked is the number of tasks that wait for a device.
	TasksBlocked *uint64 `json:"tasks_blocked,omitempty"`
	// TasksCreated is the number of tasks created since the system started.
	TasksCreated *uint64 `json:"tasks_created,omitempty"`
	// ContextSwitches is the number of context switches since the system started.
	ContextSwitches *uint64 `json:"context_switches,omitempty"`
}

func readLoad(ctx context.Context) (Load, error) {
	average, err := load.AvgWithContext(ctx)
	if err != nil {
		return Load{}, err
	}
	cores, _ := cpu.CountsWithContext(ctx, true)
	l := Load{
		Load1:        average.Load1,
		Load5:        average.Load5,
		Load15:       average.Load15,
		Emulated:     goruntime.GOOS == "windows",
		LogicalCores: max(cores, goruntime.NumCPU()),
	}
	if misc, err := load.MiscWithContext(ctx); err == nil {
		// gopsutil keeps the counters in an int, which overflows on 32 bits.
		counts := goruntime.GOOS == "linux" && strconv.IntSize == 64
		l.TasksRunning = new(uint64(misc.ProcsRunning))
		l.TasksBlocked = new(uint64(misc.ProcsBlocked))
		l.TasksCreated = given(counts, uint64(misc.ProcsCreated))
		l.ContextSwitches = given(counts, uint64(misc.Ctxt))
	}
	return l, nil
}
