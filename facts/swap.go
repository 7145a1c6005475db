package facts

// Swap is the space that memory is paged out to.
type Swap struct {
	// TotalBytes is the size of all swap space; zero where there is none.
	TotalBytes uint64 `json:"total_bytes"`
	// UsedBytes is how much of it is used.
	UsedBytes uint64 `json:"used_bytes"`
	// FreeBytes is how much of it is free.
	FreeBytes uint64 `json:"free_bytes"`
	// UsedRatio is used of total; zero where there is no swap.
	UsedRatio float64 `json:"used_ratio"`
	// InBytes is what was read back from swap since the system started.
	InBytes *uint64 `json:"in_bytes,omitempty"`
	// OutBytes is what was written to swap since the system started.
	OutBytes *uint64 `json:"out_bytes,omitempty"`
	// Devices is each swap partition, swap file or page file, sorted by name.
	Devices []SwapDevice `json:"devices"`
}

// SwapDevice is one place to swap to.
type SwapDevice struct {
	// Name is the path of the device or file.
	Name string `json:"name"`
	// TotalBytes is its size.
	TotalBytes uint64 `json:"total_bytes"`
	// UsedBytes is how much of it is used.
	UsedBytes uint64 `json:"used_bytes"`
	// FreeBytes is how much of it is free.
	FreeBytes uint64 `json:"free_bytes"`
}
