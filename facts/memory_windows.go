package facts

import "github.com/shirou/gopsutil/v4/mem"

// commit fills in the promised memory.
func (m *Memory) commit(*mem.VirtualMemoryStat) {
	if v, err := mem.NewExWindows().VirtualMemory(); err == nil {
		m.CommittedBytes = new(v.CommitTotal)
		m.CommitLimitBytes = new(v.CommitLimit)
	}
}
