package config

import "golang.org/x/sys/windows"

// administers tells whether this process has an administrator's rights, as a
// service has.
func administers() bool { return windows.GetCurrentProcessToken().IsElevated() }
