package facts

// Filesystems is the mounted file systems that hold files of their own.
type Filesystems struct {
	// Filesystems is each mount, sorted by mount point.
	Filesystems []Filesystem `json:"filesystems"`
}

// Filesystem is one mounted file system.
type Filesystem struct {
	// MountPoint is where it is mounted, such as "/", "/home" or "C:".
	MountPoint string `json:"mount_point"`
	// Device is what is mounted, such as "/dev/sda1", "server:/export" or "C:".
	Device string `json:"device"`
	// Type is the kind of file system in the system's words, such as "ext4", "nfs4", "apfs" or "NTFS".
	Type string `json:"type"`
	// Options is the mount options in the system's words.
	Options []string `json:"options"`
	// ReadOnly tells that nothing can be written.
	ReadOnly bool `json:"read_only"`
	// Usage is how full it is. It is absent where error says why.
	Usage *Usage `json:"usage,omitempty"`
	// Error is why usage is absent, such as a server that does not answer.
	Error string `json:"error,omitempty"`
}

// Usage is how full a file system is.
type Usage struct {
	// TotalBytes is its size.
	TotalBytes uint64 `json:"total_bytes"`
	// UsedBytes is what is used.
	UsedBytes uint64 `json:"used_bytes"`
	// FreeBytes is what is free, the part reserved for the superuser included.
	FreeBytes uint64 `json:"free_bytes"`
	// AvailableBytes is what is free for everyone.
	AvailableBytes uint64 `json:"available_bytes"`
	// UsedRatio is used of used and available together, as df prints it.
	UsedRatio float64 `json:"used_ratio"`
	// Inodes is how many files it holds. It is absent where the file system sets no limit.
	Inodes *Inodes `json:"inodes,omitempty"`
}

// Inodes is the number of files that a file system can hold.
type Inodes struct {
	// Total is the most files.
	Total uint64 `json:"total"`
	// Used is the number of files.
	Used uint64 `json:"used"`
	// Free is total less used.
	Free uint64 `json:"free"`
	// UsedRatio is used of total.
	UsedRatio float64 `json:"used_ratio"`
}
