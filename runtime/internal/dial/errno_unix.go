//go:build unix

package dial

import "syscall"

// connectionRefused is what the system says when nothing listens.
const connectionRefused = syscall.ECONNREFUSED

// timedOut is what it says when nothing answers.
const timedOut = syscall.ETIMEDOUT

// unreachable is what it says when there is no way to the host.
var unreachable = []syscall.Errno{
	syscall.EHOSTUNREACH, syscall.EHOSTDOWN, syscall.ENETUNREACH, syscall.ENETDOWN,
	syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT,
}
