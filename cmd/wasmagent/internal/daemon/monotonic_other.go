//go:build !linux

package daemon

import "time"

// monotonic is the clock by which systemd orders messages, which is on Linux only.
func monotonic() time.Duration { return 0 }
