//go:build darwin || freebsd

package facts

import (
	"context"

	"golang.org/x/sys/unix"
)

// mounts lists what is mounted from what the kernel remembers: unlike gopsutil
// it asks no server, which may hang.
func mounts(context.Context) ([]Filesystem, error) {
	n, err := unix.Getfsstat(nil, unix.MNT_NOWAIT)
	if err != nil {
		return nil, err
	}
	stats := make([]unix.Statfs_t, n+16) // room for what is mounted meanwhile
	if n, err = unix.Getfsstat(stats, unix.MNT_NOWAIT); err != nil {
		return nil, err
	}
	list := make([]Filesystem, 0, n)
	for _, s := range stats[:n] {
		list = append(list, Filesystem{
			MountPoint: unix.ByteSliceToString(s.Mntonname[:]),
			Device:     unix.ByteSliceToString(s.Mntfromname[:]),
			Type:       unix.ByteSliceToString(s.Fstypename[:]),
			Options:    mountOptions(uint64(s.Flags)),
			ReadOnly:   s.Flags&unix.MNT_RDONLY != 0,
		})
	}
	return list, nil
}

// mountOptions names the flags in the words of mount(8).
func mountOptions(flags uint64) []string {
	options := []string{"rw"}
	if flags&unix.MNT_RDONLY != 0 {
		options[0] = "ro"
	}
	for _, o := range []struct {
		flag uint64
		name string
	}{
		{unix.MNT_ASYNC, "async"},
		{unix.MNT_NOATIME, "noatime"},
		{unix.MNT_NOEXEC, "noexec"},
		{unix.MNT_NOSUID, "nosuid"},
		{unix.MNT_SYNCHRONOUS, "sync"},
		{unix.MNT_UNION, "union"},
	} {
		if flags&o.flag != 0 {
			options = append(options, o.name)
		}
	}
	return options
}
