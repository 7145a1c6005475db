package dial

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// connectionRefused is what the system says when nothing listens.
const connectionRefused syscall.Errno = windows.WSAECONNREFUSED

// timedOut is what it says when nothing answers.
const timedOut syscall.Errno = windows.WSAETIMEDOUT

// unreachable is what it says when there is no way to the host.
var unreachable = []syscall.Errno{
	windows.WSAEHOSTUNREACH, windows.WSAEHOSTDOWN, windows.WSAENETUNREACH, windows.WSAENETDOWN,
	windows.WSAEADDRNOTAVAIL, windows.WSAEAFNOSUPPORT,
}
