//go:build !linux

package facts

import (
	"context"
	goruntime "runtime"

	"github.com/shirou/gopsutil/v4/process"
)

// describe fills in what gopsutil finds out about one process by itself. What
// the agent's rights do not let it see stays absent.
func describe(ctx context.Context, p *Process) {
	one := process.Process{Pid: p.PID}
	p.Executable, _ = one.ExeWithContext(ctx)
	if name, err := one.UsernameWithContext(ctx); err == nil {
		p.User = name
	}
	if ms, err := one.CreateTimeWithContext(ctx); err == nil {
		p.StartTimeSeconds = given(ms > 0, float64(ms)/1000)
	}
	m, err := one.MemoryInfoWithContext(ctx)
	// macOS answers zero, without an error, for what it does not show.
	if err != nil || m.VMS == 0 && goruntime.GOOS == "darwin" {
		return
	}
	p.ResidentBytes, p.VirtualBytes = new(m.RSS), new(m.VMS)
	if t, err := one.TimesWithContext(ctx); err == nil {
		p.UserSeconds, p.SystemSeconds = new(t.User), new(t.System)
	}
}
