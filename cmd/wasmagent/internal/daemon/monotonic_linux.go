package daemon

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the clock by which systemd orders messages.
func monotonic() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
