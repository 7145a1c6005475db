package facts

import (
	"context"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var wtsQuery = windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSQuerySessionInformationW")

// What WTSQuerySessionInformation can be asked for:
// https://learn.microsoft.com/windows/win32/api/wtsapi32/ne-wtsapi32-wts_info_class
const (
	wtsClientName  = 10
	wtsSessionInfo = 24
)

// wtsInfo is WTSINFOW:
// https://learn.microsoft.com/windows/win32/api/wtsapi32/ns-wtsapi32-wtsinfow
type wtsInfo struct {
	_         [8]uint32 // state, session, traffic
	station   [32]uint16
	domain    [17]uint16
	user      [21]uint16
	_         [2]uint16
	_         [3]int64 // connect, disconnect, last input
	logonTime int64    // in units of 100 ns since 1601
	_         int64    // now
}

func logins(context.Context) ([]User, error) {
	var first *windows.WTS_SESSION_INFO
	var n uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &first, &n); err != nil {
		return nil, err
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	var users []User
	for _, session := range unsafe.Slice(first, n) {
		if u := login(session.SessionID); u.Name != "" {
			users = append(users, u)
		}
	}
	return users, nil
}

// login is who is logged in at a session: the zero User if nobody is.
func login(session uint32) User {
	var u User
	withSession(session, wtsSessionInfo, func(p unsafe.Pointer, size uint32) {
		if size < uint32(unsafe.Sizeof(wtsInfo{})) {
			return
		}
		info := (*wtsInfo)(p)
		u.Terminal = windows.UTF16ToString(info.station[:])
		if u.Name = windows.UTF16ToString(info.user[:]); u.Name != "" {
			u.Name = windows.UTF16ToString(info.domain[:]) + `\` + u.Name
		}
		u.LoginTimeSeconds = given(info.logonTime > 0, unixSeconds(info.logonTime))
	})
	withSession(session, wtsClientName, func(p unsafe.Pointer, size uint32) {
		u.Host = windows.UTF16ToString(unsafe.Slice((*uint16)(p), size/2))
	})
	return u
}

// withSession lets use see what the system answers about a session, if it does.
func withSession(session, class uint32, use func(p unsafe.Pointer, size uint32)) {
	if wtsQuery.Find() != nil {
		return
	}
	var p unsafe.Pointer
	var size uint32
	ok, _, _ := wtsQuery.Call(0, uintptr(session), uintptr(class),
		uintptr(unsafe.Pointer(&p)), uintptr(unsafe.Pointer(&size)))
	if ok == 0 || p == nil {
		return
	}
	defer windows.WTSFreeMemory(uintptr(p))
	use(p, size)
}

// unixSeconds converts a time in units of 100 ns since 1601.
func unixSeconds(t int64) float64 {
	ft := windows.Filetime{LowDateTime: uint32(t), HighDateTime: uint32(t >> 32)}
	return time.Duration(ft.Nanoseconds()).Seconds()
}
