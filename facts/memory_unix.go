//go:build !windows

package facts

import "github.com/shirou/gopsutil/v4/mem"

// commit fills in the promised memory, which only Linux counts.
func (m *Memory) commit(v *mem.VirtualMemoryStat) {
	m.CommittedBytes = given(v.CommitLimit > 0, v.CommittedAS)
	m.CommitLimitBytes = given(v.CommitLimit > 0, v.CommitLimit)
}
