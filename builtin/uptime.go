package builtin

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

func (s *System) checkUptime() *command {
	return &command{
		name:    "check_uptime",
		summary: "the time since the machine started",
		options: thresholds(seconds, "none", "none"),
		about: []string{
			"The value is in seconds; a threshold may use s, m, h, d and w. warn=1h: warns in the first hour after a\n" +
				"start, warn=60d warns of a machine that has not been restarted for sixty days.",
			"Performance data: uptime with the thresholds, in seconds.",
		},
		example: []string{"warn=30m: crit=5m:"},
		run:     s.runUptime,
	}
}

func (s *System) runUptime(ctx context.Context, args arguments) (check.Result, error) {
	u, err := s.machine.uptime(ctx)
	if err != nil {
		return check.Result{}, err
	}
	booted := time.Unix(int64(u.BootTimeSeconds), 0).UTC().Format("2006-01-02 15:04:05 UTC")
	words := fmt.Sprintf("up %s, since %s", humanTime(u.UptimeSeconds), booted)
	r := newReport()
	r.checked(words, check.Perf{Label: "uptime", Value: math.Floor(u.UptimeSeconds), Unit: "s", Min: new(0.0)}, args)
	return r.result(words), nil
}
