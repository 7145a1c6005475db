package facts

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
	// Tasks is the number of processes, or of threads where the system counts those.
	Tasks *uint64 `json:"tasks,omitempty"`
	// TasksRunning is how many of them run or are ready to.
	TasksRunning *uint64 `json:"tasks_running,omitempty"`
	// TasksBlocked is how many of them wait for a disk.
	TasksBlocked *uint64 `json:"tasks_blocked,omitempty"`
	// TasksCreated is the number of tasks created since the system started.
	TasksCreated *uint64 `json:"tasks_created,omitempty"`
	// ContextSwitches is the number of context switches since the system started.
	ContextSwitches *uint64 `json:"context_switches,omitempty"`
}
