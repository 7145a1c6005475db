package facts

import (
	"cmp"
	"context"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"

	"github.com/shirou/gopsutil/v4/mem"
)

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

func readSwap(ctx context.Context) (Swap, error) {
	devices, err := swapDevices(ctx)
	s := Swap{Devices: devices}
	// There the devices are exact, and gopsutil's total is an estimate
	// (Windows) or an error where there is no swap (FreeBSD).
	exact := goruntime.GOOS == "windows" || goruntime.GOOS == "freebsd"
	if exact && err == nil {
		s.add(devices)
	} else {
		err = s.total(ctx)
	}
	s.UsedRatio = ratio(s.UsedBytes, s.TotalBytes)
	return s, err
}

// total fills in what the system says of all swap space together. What was
// moved is given in bytes of pages of 4 KiB, whatever the size of a page.
func (s *Swap) total(ctx context.Context) error {
	all, err := mem.SwapMemoryWithContext(ctx)
	if err != nil && goruntime.GOOS == "linux" {
		return s.totalOfMemory(ctx)
	}
	if err != nil {
		return fmt.Errorf("the system does not tell its swap space: %w", err)
	}
	linux, page := goruntime.GOOS == "linux", uint64(os.Getpagesize())
	s.TotalBytes, s.FreeBytes = all.Total, all.Free
	s.UsedBytes = less(all.Total, all.Free)
	s.InBytes = given(linux, all.Sin/4096*page)
	s.OutBytes = given(linux, all.Sout/4096*page)
	return nil
}

// totalOfMemory is for a Linux without /proc/vmstat, as in some containers.
func (s *Swap) totalOfMemory(ctx context.Context) error {
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	s.TotalBytes, s.FreeBytes = v.SwapTotal, v.SwapFree
	s.UsedBytes = less(v.SwapTotal, v.SwapFree)
	return nil
}

// add makes the figures of all swap space the sums of the devices'.
func (s *Swap) add(devices []SwapDevice) {
	for _, d := range devices {
		s.TotalBytes += d.TotalBytes
		s.UsedBytes += d.UsedBytes
		s.FreeBytes += d.FreeBytes
	}
}

func swapDevices(ctx context.Context) ([]SwapDevice, error) {
	found, err := mem.SwapDevicesWithContext(ctx)
	devices := make([]SwapDevice, 0, len(found))
	for _, d := range found {
		devices = append(devices, SwapDevice{
			Name:       d.Name,
			TotalBytes: d.UsedBytes + d.FreeBytes,
			UsedBytes:  d.UsedBytes,
			FreeBytes:  d.FreeBytes,
		})
	}
	slices.SortFunc(devices, func(a, b SwapDevice) int { return cmp.Compare(a.Name, b.Name) })
	return devices, err
}
