package facts

// CPU is what the processors did.
type CPU struct {
	// IntervalSeconds is the time that all the ratios are averages over.
	IntervalSeconds float64 `json:"interval_seconds"`
	// LogicalCores is the number of processors that the system schedules on.
	LogicalCores int `json:"logical_cores"`
	// PhysicalCores is the number of cores, their hardware threads not counted.
	PhysicalCores *int `json:"physical_cores,omitempty"`
	// Model is the first processor's name.
	Model string `json:"model,omitempty"`
	// All is all cores together.
	All Core `json:"all"`
	// Cores is each core, in the system's order.
	Cores []Core `json:"cores"`
}

// Core is what one processor did, or all of them.
type Core struct {
	// Name is "cpu0", "cpu1" and so on, and "all" for all cores together.
	Name string `json:"name"`
	// BusyRatio is the share of time spent neither idle nor waiting for I/O.
	BusyRatio float64 `json:"busy_ratio"`
	// ModeRatio is the share of time spent in each mode during the interval. The modes but guest add up to 1.
	ModeRatio Modes `json:"mode_ratio"`
	// ModeSeconds is the time spent in each mode since the system started.
	ModeSeconds Modes `json:"mode_seconds"`
}

// Modes is processor time split by what it was spent on.
type Modes struct {
	// User is time in programs, the niced ones left out where the system counts those apart.
	User float64 `json:"user"`
	// System is time in the kernel.
	System float64 `json:"system"`
	// Idle is time with nothing to do.
	Idle float64 `json:"idle"`
	// Nice is time in programs of low priority.
	Nice *float64 `json:"nice,omitempty"`
	// Iowait is idle time while a disk was waited for.
	Iowait *float64 `json:"iowait,omitempty"`
	// Irq is time spent serving interrupts.
	Irq *float64 `json:"irq,omitempty"`
	// Softirq is time spent serving deferred interrupts.
	Softirq *float64 `json:"softirq,omitempty"`
	// Steal is time that the hypervisor gave to others.
	Steal *float64 `json:"steal,omitempty"`
	// Guest is time spent running virtual machines; it is also part of user or nice.
	Guest *float64 `json:"guest,omitempty"`
}
