package memory

import (
	"errors"

	"golang.org/x/sys/unix"
)

// anonymous is SHM_ANON, in place of a name.
const anonymous = 1

// unnamed makes a shared memory object of b. See shm_open(2).
func unnamed(b []byte) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_SHM_OPEN, anonymous, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if errno != 0 {
		return -1, errno
	}
	descriptor := int(r)
	if err := write(descriptor, b); err != nil {
		return -1, errors.Join(err, unix.Close(descriptor))
	}
	return descriptor, nil
}
