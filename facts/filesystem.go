package facts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
)

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

// usagePatience is how long one file system may take to say how full it is.
const usagePatience = time.Second

// usageProbes holds a probe for each mount point, so that a file system that
// hangs costs one goroutine however often it is asked. It serves one reading at
// a time.
type usageProbes struct {
	usage   func(ctx context.Context, mountPoint string) (Usage, error)
	byMount map[string]*probe[Usage]
}

func (u *usageProbes) read(ctx context.Context) (Filesystems, error) {
	list, err := mounts(ctx)
	if err != nil {
		return Filesystems{}, err
	}
	list = distinct(slices.DeleteFunc(list, pseudo))
	u.follow(list)
	u.fill(ctx, list)
	// What has no size holds no files of its own; df leaves it out too.
	list = slices.DeleteFunc(list, func(f Filesystem) bool { return f.Usage != nil && f.Usage.TotalBytes == 0 })
	return Filesystems{list}, ctx.Err()
}

// follow makes the probes those of the mounts that are there now.
func (u *usageProbes) follow(list []Filesystem) {
	now := make(map[string]*probe[Usage], len(list))
	for _, f := range list {
		p := u.byMount[f.MountPoint]
		if p == nil {
			p = &probe[Usage]{read: func(ctx context.Context) (Usage, error) { return u.usage(ctx, f.MountPoint) }}
		}
		now[f.MountPoint] = p
	}
	u.byMount = now
}

// fill asks every file system at once and gives up on those that hang.
func (u *usageProbes) fill(ctx context.Context, list []Filesystem) {
	ctx, cancel := context.WithTimeout(ctx, usagePatience)
	defer cancel()
	var all sync.WaitGroup
	for i := range list {
		f := &list[i]
		all.Go(func() {
			usage, err := u.byMount[f.MountPoint].value(ctx, f.MountPoint)
			if err != nil {
				f.Error = explain(err)
				return
			}
			f.Usage = &usage
		})
	}
	all.Wait()
}

func explain(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("the file system has not answered within %v; its server may be gone", usagePatience)
	}
	return err.Error()
}

func usageOf(ctx context.Context, mountPoint string) (Usage, error) {
	s, err := disk.UsageWithContext(ctx, mountPoint)
	if err != nil {
		return Usage{}, err
	}
	return Usage{
		TotalBytes:     s.Total,
		UsedBytes:      s.Used,
		FreeBytes:      less(s.Total, s.Used),
		AvailableBytes: s.Free,
		UsedRatio:      ratio(s.Used, s.Used+s.Free),
		Inodes: given(s.InodesTotal > 0 && s.InodesFree <= s.InodesTotal, Inodes{
			Total:     s.InodesTotal,
			Used:      s.InodesUsed,
			Free:      s.InodesFree,
			UsedRatio: ratio(s.InodesUsed, s.InodesTotal),
		}),
	}, nil
}

// distinct sorts by mount point and leaves out what is there twice: a mount
// that a later one on the same point hides, and a bind mount of a file system
// that is mounted elsewhere too.
func distinct(list []Filesystem) []Filesystem {
	slices.Reverse(list) // of two on the same point, the later one is seen
	slices.SortStableFunc(list, func(a, b Filesystem) int { return cmp.Compare(a.MountPoint, b.MountPoint) })
	list = slices.CompactFunc(list, func(a, b Filesystem) bool { return a.MountPoint == b.MountPoint })

	shown := map[string]bool{}
	for _, f := range list {
		if !bound(f) {
			shown[f.Device] = true
		}
	}
	return slices.DeleteFunc(list, func(f Filesystem) bool {
		twice := bound(f) && shown[f.Device]
		shown[f.Device] = true
		return twice
	})
}

func bound(f Filesystem) bool { return slices.Contains(f.Options, "bind") }

// pseudo tells that a file system holds no files of its own but shows what the
// kernel or a daemon knows. Those in memory (tmpfs) do hold files.
func pseudo(f Filesystem) bool {
	return f.MountPoint == "" || slices.Contains(pseudoTypes, strings.ToLower(f.Type))
}

var pseudoTypes = strings.Fields(`
	autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devfs devpts devtmpfs
	efivarfs fdesc fdescfs fuse.gvfsd-fuse fuse.lxcfs fuse.portal fusectl
	hugetlbfs linprocfs linsysfs mqueue none nsfs proc procfs pstore ramfs
	resctrl rpc_pipefs securityfs selinuxfs smackfs sysfs tracefs`)
