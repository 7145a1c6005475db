package facts

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
