package daemon

import "golang.org/x/sys/unix"

// renounce keeps this thread, and what it executes, from getting rights by
// executing a program that is setuid or has capabilities.
func renounce() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
