package memory

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file of b that only this process has: it is removed at once.
func unnamed(b []byte) (int, error) {
	f, err := os.CreateTemp("", "image")
	if err != nil {
		return -1, err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return -1, err
	}
	if err := write(int(f.Fd()), b); err != nil {
		return -1, err
	}
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}
