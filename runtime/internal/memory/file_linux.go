package memory

import (
	"errors"

	"golang.org/x/sys/unix"
)

// seals have the file never change again, so that no access to a mapping can fail.
const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// unnamed makes a sealed file of b.
func unnamed(b []byte) (int, error) {
	descriptor, err := unix.MemfdCreate("image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // before Linux 6.3
		descriptor, err = unix.MemfdCreate("image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return -1, err
	}
	if err = write(descriptor, b); err == nil {
		_, err = unix.FcntlInt(uintptr(descriptor), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(descriptor))
	}
	return descriptor, nil
}
