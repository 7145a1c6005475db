//go:build unix

package confine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reserved is the address space that a process may have beyond its memory: the
// runtimes of Go, Java and .NET reserve gigabytes that they never use.
const reserved = 4 << 30

// limit sets the limits of this process and of its descendants. What is limited
// more tightly already stays so.
func (r rules) limit() error {
	limits := []struct {
		what     string
		resource int
		most     int64
	}{
		{"core dumps", unix.RLIMIT_CORE, 0},
		{"CPU time", unix.RLIMIT_CPU, r.CPU},
		{"the size of files", unix.RLIMIT_FSIZE, r.FileSize},
		{"open files", unix.RLIMIT_NOFILE, r.OpenFiles},
		{"processes", unix.RLIMIT_NPROC, r.Processes},
		{"memory", unix.RLIMIT_DATA, r.Memory},
		{"address space", unix.RLIMIT_AS, r.Memory + reserved},
	}
	for _, l := range limits {
		if l.resource == unix.RLIMIT_NPROC && r.User == nil {
			continue // it would count what others start as well
		}
		hard := l.most
		if l.resource == unix.RLIMIT_CPU {
			hard++ // so that a signal comes first that says what it is about
		}
		if err := lower(l.resource, l.most, hard); err != nil {
			return fmt.Errorf("limiting %s to %d: %w", l.what, l.most, err)
		}
	}
	return nil
}

// lower sets a limit, for good.
func lower(resource int, soft, hard int64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(resource, &limit); err != nil {
		return err
	}
	atMost(&limit.Max, hard)
	limit.Cur = limit.Max
	atMost(&limit.Cur, soft)
	return unix.Setrlimit(resource, &limit)
}

// atMost is generic since systems disagree on the type of a limit.
func atMost[T int64 | uint64](limit *T, most int64) {
	if T(most) < *limit {
		*limit = T(most)
	}
}
