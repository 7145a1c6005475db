//go:build linux

package main

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
func schedule(ctx context.Context, l *lab, r *report) (err error) {
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
	before, err := a.sinceStart(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	select {
	case <-time.After(l.period):
	case <-a.ended:
		return fmt.Errorf("the agent ended: %s", a.said())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	after, err := a.sinceStart(ctx)
	if err != nil {
		return err
	}
	r.scheduled = scheduled{
		checks: l.scheduled, elapsed: time.Since(began), cpu: after.cpu - before.cpu,
		runs: after.runs - before.runs, missed: after.missed - before.missed, memory: after.memory,
	}
	return nil
}

// sinceStart is what the agent did by itself so far.
func (a *agent) sinceStart(ctx context.Context) (s scheduled, err error) {
	if s.cpu, err = a.cpu(); err != nil {
		return s, err
	}
	if s.memory, err = a.memory(); err != nil {
		return s, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.metricsAddress+"/metrics", nil)
	if err != nil {
		return s, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return s, fmt.Errorf("/metrics answers %s", answer.Status)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		series, value, _ := strings.Cut(lines.Text(), "} ")
		n, _ := strconv.ParseFloat(value, 64)
		switch {
		case strings.HasPrefix(series, "wasmagent_runs_total{") && strings.Contains(series, `origin="schedule"`) && strings.Contains(series, `state="ok"`):
			s.runs += n
		case strings.HasPrefix(series, "wasmagent_check_missed_runs_total{"):
			s.missed += n
		}
	}
	return s, lines.Err()
}
