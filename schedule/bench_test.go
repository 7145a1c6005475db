package schedule_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/schedule"
)

// serving is a scheduler of a thousand checks that take no time. Each run of one is
// told to ran.
func serving(b *testing.B, interval time.Duration, ran func()) *schedule.Scheduler {
	b.Helper()
	s := schedule.New(schedule.Config{
		Run: func(_ context.Context, req check.Request, judge func(check.Event) check.Standing) check.Event {
			ran()
			e := check.Event{Time: time.Now(), Request: req, Result: check.Result{State: check.StateOK}}
			standing := judge(e)
			e.Standing = &standing
			return e
		},
		Log: slog.New(slog.DiscardHandler),
	})
	var checks []schedule.Check
	for i := range 1000 {
		checks = append(checks, schedule.Check{Name: fmt.Sprintf("check %d", i), Command: "c", Interval: interval})
	}
	if err := s.Set(checks); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Serve(ctx) }()
	b.Cleanup(func() { stop(); <-ended })
	return s
}

// BenchmarkRun is what the scheduler takes for one run, among a thousand checks that
// wait.
func BenchmarkRun(b *testing.B) {
	s := serving(b, time.Hour, func() {})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.RunNow(b.Context(), fmt.Sprintf("check %d", i%1000)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSet puts a thousand checks in the place of the same ones.
func BenchmarkSet(b *testing.B) {
	s := serving(b, time.Hour, func() {})
	var checks []schedule.Check
	for _, status := range s.Checks() {
		checks = append(checks, status.Check)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Set(checks); err != nil {
			b.Fatal(err)
		}
	}
}
