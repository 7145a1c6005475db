package facts

import (
	"context"
	"strconv"
	"strings"
)

// launchd asks launchctl, which lists the services of the user who asks: those
// of the system for root. https://ss64.com/mac/launchctl.html
func launchd(ctx context.Context) (Services, error) {
	out, err := output(ctx, "launchctl", "list")
	if err != nil {
		return Services{}, err
	}
	return Services{"launchd", parseLaunchctl(out)}, nil
}

// parseLaunchctl reads lines of "PID STATUS LABEL" separated by tabs, "-" for
// no number; the first line is the heading.
func parseLaunchctl(text string) []Service {
	var list []Service
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), "\t", 3)
		if len(f) == 3 && f[0] != "PID" {
			list = append(list, newJob(f[0], f[1], f[2]))
		}
	}
	return list
}

func newJob(pid, status, label string) Service {
	s := Service{Name: label, State: ServiceStopped, Detail: "last exit status " + status}
	if n, err := strconv.ParseInt(pid, 10, 32); err == nil {
		s.PID, s.State = new(int32(n)), ServiceRunning
	} else if status != "0" && status != "-" {
		s.State = ServiceFailed
	}
	return s
}
