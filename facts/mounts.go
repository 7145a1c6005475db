//go:build !darwin && !freebsd

package facts

import (
	"context"
	"slices"

	"github.com/shirou/gopsutil/v4/disk"
)

// mounts lists what is mounted. On Windows, drives that are not ready come
// without a mount point, and what could not be read is left out.
func mounts(ctx context.Context) ([]Filesystem, error) {
	found, err := disk.PartitionsWithContext(ctx, true)
	if err != nil && len(found) == 0 {
		return nil, err
	}
	list := make([]Filesystem, 0, len(found))
	for _, p := range found {
		list = append(list, Filesystem{
			MountPoint: p.Mountpoint,
			Device:     p.Device,
			Type:       p.Fstype,
			Options:    append([]string{}, p.Opts...),
			ReadOnly:   slices.Contains(p.Opts, "ro"),
		})
	}
	return list, nil
}
