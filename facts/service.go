package facts

import (
	"cmp"
	"context"
	goruntime "runtime"
	"slices"
)

// Services is what the system's service manager looks after.
type Services struct {
	// Manager is the service manager: "systemd", "windows", "launchd" or "rc". It is empty where none runs, as in most containers.
	Manager string `json:"manager"`
	// Services is each service, sorted by name.
	Services []Service `json:"services"`
}

// Service is one service.
type Service struct {
	// Name is the manager's name for it, such as "ssh.service" or "Spooler".
	Name string `json:"name"`
	// Description is its name for people.
	Description string `json:"description,omitempty"`
	// State is what it is doing.
	State ServiceState `json:"state,omitempty"`
	// Start is when it is started.
	Start ServiceStart `json:"start,omitempty"`
	// Detail is the state in the manager's own words, such as "active (running)".
	Detail string `json:"detail,omitempty"`
	// PID is the number of its main process.
	PID *int32 `json:"pid,omitempty"`
}

// ServiceState is what a service is doing.
type ServiceState string

// The states of services.
const (
	ServiceRunning  ServiceState = "running"  // runs
	ServiceExited   ServiceState = "exited"   // did its work, ended well and counts as active
	ServiceStopped  ServiceState = "stopped"  // does not run
	ServiceFailed   ServiceState = "failed"   // ended with an error
	ServiceStarting ServiceState = "starting" // is being started or reloaded
	ServiceStopping ServiceState = "stopping" // is being stopped
	ServicePaused   ServiceState = "paused"   // is paused
)

// ServiceStart is when a service is started.
type ServiceStart string

// The ways of starting.
const (
	StartAutomatic ServiceStart = "automatic" // with the system
	StartManual    ServiceStart = "manual"    // when a person or another service asks
	StartDisabled  ServiceStart = "disabled"  // never
)

func readServices(ctx context.Context) (Services, error) {
	s, err := services(ctx)
	if err != nil {
		return Services{}, err
	}
	if s.Services == nil {
		s.Services = []Service{}
	}
	slices.SortFunc(s.Services, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}

func services(ctx context.Context) (Services, error) {
	switch goruntime.GOOS {
	case "linux":
		return systemd(ctx)
	case "darwin":
		return launchd(ctx)
	case "freebsd":
		return rc(ctx)
	}
	return controlManager(ctx)
}
