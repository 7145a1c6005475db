//go:build linux

package requests

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// interval is the time between two runs of each scheduled check.
const interval = 10 * time.Second

// A scheduled is what it took the agent to run checks by itself.
type scheduled struct {
	checks       int
	elapsed, cpu time.Duration
	runs, missed float64
	memory       memory // in the end
}

// schedule has the agent run checks by itself.
func schedule(ctx context.Context, l *lab, found *findings) (err error) {
	l.say("running %d checks by schedule for %v", l.scheduled, l.period)
	config := &strings.Builder{}
	config.WriteString(benchModule)
	for i := range l.scheduled {
		fmt.Fprintf(config, "[schedule.check%d]\ncommand = \"check_smallest\"\ninterval = %q\n", i, interval)
	}
	a, err := l.agent(ctx, "schedule", config.String(), "check_smallest")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.stop()) }()
	runs, missed, err := a.scheduledRuns(ctx)
	if err != nil {
		return err
	}
	found.scheduled, err = a.unattended(ctx, l.period)
	if err != nil {
		return err
	}
	found.scheduled.checks = l.scheduled
	found.scheduled.runs, found.scheduled.missed, err = a.scheduledRuns(ctx)
	found.scheduled.runs -= runs
	found.scheduled.missed -= missed
	return err
}

// unattended is what the agent takes while nobody asks it.
func (a *agent) unattended(ctx context.Context, d time.Duration) (s scheduled, err error) {
	before, err := a.cpu()
	if err != nil {
		return s, err
	}
	began := time.Now()
	select {
	case <-time.After(d):
	case <-a.ended:
		return s, fmt.Errorf("the agent ended: %s", a.said())
	case <-ctx.Done():
		return s, context.Cause(ctx)
	}
	s.elapsed = time.Since(began)
	after, err := a.cpu()
	if err != nil {
		return s, err
	}
	s.cpu = after - before
	s.memory, err = a.memory()
	return s, err
}

// scheduledRuns are how many checks the agent has run by itself, and left out, as it
// says at /metrics.
func (a *agent) scheduledRuns(ctx context.Context) (runs, missed float64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.metricsAddress+"/metrics", nil)
	if err != nil {
		return 0, 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("/metrics answers %s", answer.Status)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		series, value, _ := strings.Cut(lines.Text(), "} ")
		n, _ := strconv.ParseFloat(value, 64)
		switch {
		case strings.HasPrefix(series, "wasmagent_runs_total{") && strings.Contains(series, `origin="schedule"`) && strings.Contains(series, `state="ok"`):
			runs += n
		case strings.HasPrefix(series, "wasmagent_check_missed_runs_total{"):
			missed += n
		}
	}
	return runs, missed, lines.Err()
}
