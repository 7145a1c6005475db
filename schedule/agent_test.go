package schedule_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/schedule"
)

// An agent stands in for the dispatcher: it answers at once, or after a while,
// and writes down what ran when.
type agent struct {
	mu     sync.Mutex
	states map[string][]check.State // what the next runs of a command find; OK after the last
	takes  map[string]time.Duration // how long a command takes
	runs   []check.Event
	most   int // that were running at one time
	now    int
	ahead  time.Duration // of the wall clock before the real one
	log    strings.Builder
}

func (a *agent) run(ctx context.Context, req check.Request, judge func(check.Event) check.Standing) check.Event {
	takes := a.begin(req.Command)
	var err error
	select {
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-time.After(takes):
	}
	e := check.Event{Time: a.clock(), Request: req, Err: err, Result: a.end(req.Command)}
	if err != nil {
		e.Result = check.Unknown(err)
	}
	standing := judge(e)
	e.Standing = &standing
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runs = append(a.runs, e)
	return e
}

func (a *agent) begin(command string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now++
	a.most = max(a.most, a.now)
	return a.takes[command]
}

func (a *agent) end(command string) check.Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now--
	if states := a.states[command]; len(states) > 0 {
		a.states[command] = states[1:]
		return check.Result{State: states[0]}
	}
	return check.Result{State: check.StateOK}
}

// clock is the wall clock.
func (a *agent) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().UTC().Add(a.ahead)
}

// jump sets the wall clock.
func (a *agent) jump(by time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ahead += by
}

// Write takes in the log.
func (a *agent) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.Write(p)
}

// logged takes out the log.
func (a *agent) logged() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.log.Reset()
	return a.log.String()
}

// times takes out when a command was run, by the wall clock, since a time.
func (a *agent) times(command string, since time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var times []string
	var others []check.Event
	for _, e := range a.runs {
		if e.Request.Command == command {
			times = append(times, fmt.Sprint(e.Time.Sub(since)))
		} else {
			others = append(others, e)
		}
	}
	a.runs = others
	return strings.Join(times, " ")
}

// scheduled runs a test beside a scheduler in a bubble with a clock of its own,
// which begins at midnight.
func scheduled(t *testing.T, a *agent, test func(*testing.T, *schedule.Scheduler)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.NewTextHandler(a, &slog.HandlerOptions{ReplaceAttr: untimed}))
		s := schedule.New(schedule.Config{Run: a.run, Now: a.clock, Log: log}).On("host")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Serve(ctx) }()
		test(t, s)
		stop()
		<-ended
	})
}

func untimed(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// pass lets time pass until all is still.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func set(t *testing.T, s *schedule.Scheduler, checks ...schedule.Check) {
	t.Helper()
	if err := s.Set(checks); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// each is a check that runs at whole intervals after midnight.
func each(name string, interval time.Duration) schedule.Check {
	return schedule.Check{Name: name, Command: name, Interval: interval, Splay: 1}
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
