package facts

// Disks is what the block devices did.
type Disks struct {
	// Disks is each device, sorted by name.
	Disks []Disk `json:"disks"`
}

// Disk is the counters of one block device since the system started.
type Disk struct {
	// Name is the device's name, such as "sda", "nvme0n1p2", "disk0" or "C:".
	Name string `json:"name"`
	// ReadBytes is what was read.
	ReadBytes uint64 `json:"read_bytes"`
	// WrittenBytes is what was written.
	WrittenBytes uint64 `json:"written_bytes"`
	// Reads is the number of completed reads.
	Reads uint64 `json:"reads"`
	// Writes is the number of completed writes.
	Writes uint64 `json:"writes"`
	// ReadSeconds is the time of all reads, added up.
	ReadSeconds *float64 `json:"read_seconds,omitempty"`
	// WriteSeconds is the time of all writes, added up.
	WriteSeconds *float64 `json:"write_seconds,omitempty"`
	// BusySeconds is the time during which there was anything to do.
	BusySeconds *float64 `json:"busy_seconds,omitempty"`
	// QueueSeconds is the busy time weighted by the number of requests; its rate is the average queue length.
	QueueSeconds *float64 `json:"queue_seconds,omitempty"`
	// InFlight is the number of requests under way now.
	InFlight *uint64 `json:"in_flight,omitempty"`
}
