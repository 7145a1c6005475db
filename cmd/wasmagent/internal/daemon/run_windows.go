package daemon

import (
	"bytes"
	"context"
	"io"
	"strings"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Run runs the agent, until ctx ends or it is told to stop as a service.
func Run(ctx context.Context, agent func(context.Context) error) error {
	if is, err := svc.IsWindowsService(); err != nil || !is {
		return agent(ctx)
	}
	h := &handler{ctx: ctx, agent: agent}
	if err := svc.Run(Name, h); err != nil {
		return err
	}
	return h.err
}

// A handler answers the service control manager for an agent.
type handler struct {
	ctx   context.Context // of svc.Run, which has no parameter for it
	agent func(context.Context) error
	err   error // what the agent ended with
}

// Execute runs the agent until it is to stop or ends.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (specific bool, code uint32) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.agent(ctx) }()
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for {
		select {
		case h.err = <-ended:
			if h.err != nil {
				return true, 1
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending}
				cancel()
			}
		}
	}
}

// Log is where messages are written: to this Writer, or to the event log if this is
// a service, which has no standard error.
func Log(stderr io.Writer) io.Writer {
	if is, err := svc.IsWindowsService(); err != nil || !is {
		return stderr
	}
	log, err := eventlog.Open(Name)
	if err != nil {
		return stderr
	}
	return events{log}
}

// events writes lines to the event log, with the level that they name.
type events struct{ log *eventlog.Log }

// event is the number of all events: their text says what they are.
const event = 1

// Write writes one message.
func (e events) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	write := e.log.Info
	switch {
	case strings.Contains(text, "level=ERROR"), strings.HasPrefix(text, "wasmagent:"):
		write = e.log.Error
	case strings.Contains(text, "level=WARN"):
		write = e.log.Warning
	}
	return len(line), write(event, text)
}
