package facts

import (
	"context"

	"github.com/shirou/gopsutil/v4/host"
)

// Uptime is how long the system has been running.
type Uptime struct {
	// UptimeSeconds is the time since the system started.
	UptimeSeconds float64 `json:"uptime_seconds"`
	// BootTimeSeconds is when it started.
	BootTimeSeconds float64 `json:"boot_time_seconds"`
}

func readUptime(ctx context.Context) (Uptime, error) {
	up, err := host.UptimeWithContext(ctx)
	if err != nil {
		return Uptime{}, err
	}
	boot, err := host.BootTimeWithContext(ctx)
	if err != nil {
		return Uptime{}, err
	}
	return Uptime{UptimeSeconds: float64(up), BootTimeSeconds: float64(boot)}, nil
}
