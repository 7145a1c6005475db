package facts

// Uptime is how long the system has been running.
type Uptime struct {
	// UptimeSeconds is the time since the system started.
	UptimeSeconds float64 `json:"uptime_seconds"`
	// BootTimeSeconds is when it started.
	BootTimeSeconds float64 `json:"boot_time_seconds"`
}
