package facts

import (
	"cmp"
	"context"
	goruntime "runtime"
	"slices"

	"github.com/shirou/gopsutil/v4/disk"
)

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

func readDisks(ctx context.Context) (Disks, error) {
	// Without this, gopsutil gives Windows' times in whole seconds and all
	// others' in milliseconds.
	//lint:ignore SA1029 gopsutil's key is a string
	ctx = context.WithValue(ctx, disk.WillBeDeletedOptInWindowsIOTimeMs, true)
	counters, err := disk.IOCountersWithContext(ctx)
	if err != nil && len(counters) == 0 { // otherwise some can be had
		return Disks{}, err
	}
	disks := make([]Disk, 0, len(counters))
	for _, c := range counters {
		disks = append(disks, newDisk(c))
	}
	slices.SortFunc(disks, func(a, b Disk) int { return cmp.Compare(a.Name, b.Name) })
	return Disks{disks}, nil
}

func newDisk(c disk.IOCountersStat) Disk {
	goos := goruntime.GOOS
	linux := goos == "linux"
	return Disk{
		Name:         c.Name,
		ReadBytes:    c.ReadBytes,
		WrittenBytes: c.WriteBytes,
		Reads:        c.ReadCount,
		Writes:       c.WriteCount,
		ReadSeconds:  new(float64(c.ReadTime) / 1000),
		WriteSeconds: new(float64(c.WriteTime) / 1000),
		BusySeconds:  given(linux || goos == "freebsd", float64(c.IoTime)/1000),
		QueueSeconds: given(linux, float64(c.WeightedIO)/1000),
		InFlight:     given(linux, c.IopsInProgress),
	}
}
