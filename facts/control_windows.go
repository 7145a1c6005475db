package facts

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// controlManager asks the service control manager, with the right to list and
// nothing more; x/sys' mgr package asks for all rights, which users lack.
// https://learn.microsoft.com/windows/win32/services/service-security-and-access-rights
func controlManager(ctx context.Context) (Services, error) {
	scm, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return Services{}, fmt.Errorf("opening the service control manager: %w", err)
	}
	defer windows.CloseServiceHandle(scm)
	buffer, n, err := enumerate(scm)
	if err != nil {
		return Services{}, fmt.Errorf("listing the services: %w", err)
	}
	list := make([]Service, 0, n)
	if n > 0 {
		for _, e := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buffer[0])), n) {
			list = append(list, newWindowsService(scm, e))
		}
	}
	return Services{"windows", list}, ctx.Err()
}

// enumerate is the entries, which point into the rest of the buffer.
func enumerate(scm windows.Handle) (buffer []byte, n uint32, err error) {
	for size := uint32(64 << 10); ; {
		buffer = make([]byte, size)
		var needed uint32
		err = windows.EnumServicesStatusEx(scm, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32,
			windows.SERVICE_STATE_ALL, &buffer[0], size, &needed, &n, nil, nil)
		if err != windows.ERROR_MORE_DATA || size > outputLimit {
			return buffer, n, err
		}
		size += needed
	}
}

func newWindowsService(scm windows.Handle, e windows.ENUM_SERVICE_STATUS_PROCESS) Service {
	status := e.ServiceStatusProcess
	state, detail := windowsState(status)
	return Service{
		Name:        windows.UTF16PtrToString(e.ServiceName),
		Description: windows.UTF16PtrToString(e.DisplayName),
		State:       state,
		Start:       windowsStart(scm, e.ServiceName),
		Detail:      detail,
		PID:         given(status.ProcessId > 0, int32(status.ProcessId)),
	}
}

// windowsState translates a state; a service that stopped with an error other
// than never having been started has failed.
func windowsState(s windows.SERVICE_STATUS_PROCESS) (state ServiceState, detail string) {
	switch s.CurrentState {
	case windows.SERVICE_RUNNING:
		return ServiceRunning, "running"
	case windows.SERVICE_START_PENDING:
		return ServiceStarting, "start pending"
	case windows.SERVICE_CONTINUE_PENDING:
		return ServiceStarting, "continue pending"
	case windows.SERVICE_STOP_PENDING:
		return ServiceStopping, "stop pending"
	case windows.SERVICE_PAUSE_PENDING:
		return ServicePaused, "pause pending"
	case windows.SERVICE_PAUSED:
		return ServicePaused, "paused"
	}
	const neverStarted = 1077 // ERROR_SERVICE_NEVER_STARTED
	if s.Win32ExitCode != 0 && s.Win32ExitCode != neverStarted {
		return ServiceFailed, fmt.Sprintf("stopped, exit code %d", s.Win32ExitCode)
	}
	return ServiceStopped, "stopped"
}

// windowsStart is when a service is started; empty where the agent may not ask.
func windowsStart(scm windows.Handle, name *uint16) ServiceStart {
	service, err := windows.OpenService(scm, name, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return ""
	}
	defer windows.CloseServiceHandle(service)
	// 8 KiB is the largest answer.
	var buffer [8 << 10 / 8]uint64
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buffer))
	var needed uint32
	if windows.QueryServiceConfig(service, config, uint32(unsafe.Sizeof(buffer)), &needed) != nil {
		return ""
	}
	switch config.StartType {
	case windows.SERVICE_DEMAND_START:
		return StartManual
	case windows.SERVICE_DISABLED:
		return StartDisabled
	}
	return StartAutomatic
}
