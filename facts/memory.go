package facts

import (
	"context"
	"errors"
	goruntime "runtime"

	"github.com/shirou/gopsutil/v4/mem"
)

// Memory is the machine's physical memory.
type Memory struct {
	// TotalBytes is the memory that the system manages.
	TotalBytes uint64 `json:"total_bytes"`
	// AvailableBytes is what programs could have without swapping.
	AvailableBytes uint64 `json:"available_bytes"`
	// UsedBytes is total less available.
	UsedBytes uint64 `json:"used_bytes"`
	// UsedRatio is used of total.
	UsedRatio float64 `json:"used_ratio"`
	// FreeBytes is memory that holds nothing, not even a cache.
	FreeBytes *uint64 `json:"free_bytes,omitempty"`
	// CachedBytes is file contents and reclaimable kernel memory.
	CachedBytes *uint64 `json:"cached_bytes,omitempty"`
	// BuffersBytes is buffers of block devices.
	BuffersBytes *uint64 `json:"buffers_bytes,omitempty"`
	// SharedBytes is memory shared between programs, and files in memory.
	SharedBytes *uint64 `json:"shared_bytes,omitempty"`
	// ActiveBytes is memory used lately.
	ActiveBytes *uint64 `json:"active_bytes,omitempty"`
	// InactiveBytes is memory not used lately.
	InactiveBytes *uint64 `json:"inactive_bytes,omitempty"`
	// WiredBytes is memory that cannot be paged out.
	WiredBytes *uint64 `json:"wired_bytes,omitempty"`
	// DirtyBytes is file contents that wait to be written.
	DirtyBytes *uint64 `json:"dirty_bytes,omitempty"`
	// CommittedBytes is the memory that programs were promised, swap included.
	CommittedBytes *uint64 `json:"committed_bytes,omitempty"`
	// CommitLimitBytes is the most that could be promised.
	CommitLimitBytes *uint64 `json:"commit_limit_bytes,omitempty"`
	// PageFaults is the number of page faults since the system started.
	PageFaults *uint64 `json:"page_faults,omitempty"`
	// MajorPageFaults is how many of them needed a disk.
	MajorPageFaults *uint64 `json:"major_page_faults,omitempty"`
}

func readMemory(ctx context.Context) (Memory, error) {
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return Memory{}, err
	}
	if v.Total == 0 {
		return Memory{}, errors.New("the system does not tell how much memory there is")
	}
	used := less(v.Total, v.Available)
	m := Memory{
		TotalBytes:     v.Total,
		AvailableBytes: v.Available,
		UsedBytes:      used,
		UsedRatio:      ratio(used, v.Total),
	}
	m.split(v)
	m.commit(v)
	m.faults(ctx)
	return m, nil
}

// split fills in what the memory holds, as far as the system tells it apart.
func (m *Memory) split(v *mem.VirtualMemoryStat) {
	goos := goruntime.GOOS
	linux, unix := goos == "linux", goos != "windows"
	m.FreeBytes = given(unix, v.Free)
	m.ActiveBytes = given(unix, v.Active)
	m.InactiveBytes = given(unix, v.Inactive)
	m.CachedBytes = given(linux, v.Cached)
	m.BuffersBytes = given(linux || goos == "freebsd", v.Buffers)
	m.SharedBytes = given(linux, v.Shared)
	m.WiredBytes = given(unix && !linux, v.Wired)
	m.DirtyBytes = given(linux, v.Dirty)
}

// faults fills in the page faults, which gopsutil gives in bytes of pages of
// 4 KiB, whatever the size of a page.
func (m *Memory) faults(ctx context.Context) {
	if s, err := mem.SwapMemoryWithContext(ctx); goruntime.GOOS == "linux" && err == nil {
		m.PageFaults = new(s.PgFault / 4096)
		m.MajorPageFaults = new(s.PgMajFault / 4096)
	}
}
