// Package schedule runs checks at their times and counts how they stand.
//
// Guarantees:
//
//   - A check never overlaps with itself. A time that comes while it is still
//     running is left out and counted.
//   - Hard and soft states are counted as Nagios counts them, and a run that
//     somebody asked for counts like any other.
//   - The times of a check depend on nothing but its name, its machine and the
//     wall clock: a restart keeps them, and a fleet is spread out.
//   - After a sleep of the machine, or a jump of its clock, a check that is late
//     runs once, however many times it has missed. The times that nothing ran at
//     are counted, and the log says so.
//   - Set changes everything or nothing, and a check that keeps its name keeps
//     how it stands.
//
// A check that waits costs an entry in a queue: there is one goroutine, with one
// timer, beside those of the runs, which are bounded in number and in time.
//
// The package runs nothing by itself: it is handed one function that does. A
// Scheduler is safe for concurrent use.
package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// maxRuns is the most checks that run at one time.
const maxRuns = 32

// Config configures a Scheduler. Zeros are the defaults.
type Config struct {
	// Run runs a check. It calls judge once, with the event of the run, for how
	// the check stands after it, and returns the event with that. It must return
	// soon after ctx ends.
	Run func(ctx context.Context, req check.Request, judge func(check.Event) check.Standing) check.Event
	// Now is the wall clock. Cron expressions are in its location. Nil is
	// time.Now, in local time.
	Now func() time.Time
	// Log hears of times that were missed. Nil is slog.Default.
	Log *slog.Logger
}

// A Scheduler runs checks at their times while Serve does.
type Scheduler struct {
	config  Config
	machine string        // tells it from others, whose checks run at other moments
	wake    chan struct{} // of Serve, when there is something new to look at
	ended   chan struct{} // closed when Serve has ended

	mu      sync.Mutex // guards what follows
	checks  map[string]*entry
	waiting queue
	running int
}

// A Status says how one check fares.
type Status struct {
	// Check is the check, its defaults filled in.
	Check Check
	// Last is the event of its last run, without number; the zero Event if it
	// has not run.
	Last check.Event
	// Next is when it is due; zero if never, and while it is running.
	Next time.Time
	// Running is whether it is running.
	Running bool
	// Missed counts the times at which it was due and did not run: it was still
	// running, or the machine slept, or too many others were running. One sleep
	// counts for 1,000 at most.
	Missed uint64
}

// New returns a Scheduler without checks.
func New(c Config) *Scheduler {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	machine, _ := os.Hostname() // without one, the checks of all such machines run together
	return &Scheduler{config: c, machine: machine, wake: make(chan struct{}, 1), ended: make(chan struct{}), checks: make(map[string]*entry)}
}

// now is the time on the wall clock, and nothing but that.
func (s *Scheduler) now() time.Time { return s.config.Now().Round(0) }

// look makes Serve look at what has changed.
func (s *Scheduler) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Set puts these checks in the place of all there were. A check that keeps its
// name keeps its last event, how it stands and, if its times are the same, when
// it is due. A run of a check that goes ends as it would have.
//
// The error names every mistake of every check, and then nothing has changed.
func (s *Scheduler) Set(checks []Check) error {
	planned, err := planAll(checks, s.machine)
	if err != nil {
		return err
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.checks {
		if _, stays := planned[name]; !stays {
			s.remove(e)
		}
	}
	for name, p := range planned {
		s.put(name, p, now)
	}
	s.look()
	return nil
}

// put adds a check, or changes the one of its name.
func (s *Scheduler) put(name string, p plan, now time.Time) {
	e := s.checks[name]
	if e == nil {
		e = newEntry(p, now)
		s.checks[name] = e
		s.waiting.push(e)
		return
	}
	same := e.plan.sameTimes(p.Check)
	e.plan, e.removed = p, false
	if !same && !e.running {
		e.begins(now)
		s.waiting.fix(e)
	}
}

// remove takes a check out, once it has run. Whoever waits for a run that has not
// begun hears of it.
func (s *Scheduler) remove(e *entry) {
	if e.running {
		e.removed = true
		return
	}
	delete(s.checks, e.plan.Name)
	s.waiting.remove(e)
	e.finish(check.Event{}, fmt.Errorf("check %.80q: %w any more", e.plan.Name, ErrNotFound))
}

// Checks lists the checks, sorted by name.
func (s *Scheduler) Checks() []Status {
	s.mu.Lock()
	list := make([]Status, 0, len(s.checks))
	for _, e := range s.checks {
		if !e.removed {
			list = append(list, e.status())
		}
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b Status) int { return cmp.Compare(a.Check.Name, b.Check.Name) })
	return list
}

// ErrNotFound is what the error of RunNow matches when no check has the name, or
// none has it any more.
var ErrNotFound = errors.New("no such check is scheduled")

// errEnded is that of RunNow once Serve has ended.
var errEnded = errors.New("the scheduler has ended")

// RunNow runs a check now, as soon as there is room for it, and returns the
// event of that. The run counts like a scheduled one. If the check is running
// already, that run is waited for. The run goes on if ctx ends before it does.
func (s *Scheduler) RunNow(ctx context.Context, name string) (check.Event, error) {
	asked, err := s.ask(name)
	if err != nil {
		return check.Event{}, err
	}
	select {
	case <-asked.done:
		return asked.event, asked.err
	case <-ctx.Done():
		return check.Event{}, fmt.Errorf("check %s: its result was not waited for: %w", name, context.Cause(ctx))
	case <-s.ended:
		return check.Event{}, fmt.Errorf("check %s: %w", name, errEnded)
	}
}

// ask makes a check due now, if it is not running.
func (s *Scheduler) ask(name string) (*asked, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.checks[name]
	if e == nil || e.removed {
		return nil, fmt.Errorf("check %.80q: %w", name, ErrNotFound)
	}
	if e.asked == nil {
		e.asked = &asked{done: make(chan struct{})}
	}
	if !e.running && (e.due.IsZero() || e.due.After(now)) {
		e.due, e.apart = now, true
		s.waiting.fix(e)
		s.look()
	}
	return e.asked, nil
}
