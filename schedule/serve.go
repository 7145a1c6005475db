package schedule

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

const (
	// lookEvery is how often the clock is looked at, at least: a timer stands
	// still while the machine sleeps, and knows nothing of a clock that is set.
	lookEvery = 30 * time.Second
	// jumpOf is how far a clock must go by itself to be said to have jumped.
	jumpOf = 2 * time.Second
)

// errStopping is why runs end that are in flight when Serve has to.
var errStopping = errors.New("the agent is stopping")

// Serve runs the checks at their times until ctx ends. Runs in flight are then
// stopped and waited for; they do not count, and change no state. It can be
// called once.
func (s *Scheduler) Serve(ctx context.Context) {
	defer close(s.ended)
	runs, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	defer stop(errStopping)

	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for seen := s.clocks(); ctx.Err() == nil; {
		now := s.clocks()
		s.jumped(now.ahead(seen), now.wall)
		seen = now
		due, wait := s.take(now.wall)
		for _, e := range due {
			inFlight.Go(func() { s.run(runs, e) })
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// clocks are the clock on the wall and one that nobody can set, which may stand
// still while the machine sleeps.
type clocks struct{ wall, steady time.Time }

func (s *Scheduler) clocks() clocks { return clocks{s.now(), time.Now()} }

// ahead is how far the wall clock went by itself since.
func (c clocks) ahead(since clocks) time.Duration {
	return c.wall.Sub(since.wall) - c.steady.Sub(since.steady)
}

// take takes the checks that are due out of the queue, as far as there is room,
// and says how long there is nothing more to do.
func (s *Scheduler) take(now time.Time) (due []*entry, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running < maxRuns {
		e := s.waiting.head()
		if e == nil {
			break
		}
		if e.due.After(now) {
			return due, min(lookEvery, e.due.Sub(now))
		}
		s.waiting.remove(e)
		e.running = true
		s.running++
		due = append(due, e)
	}
	return due, lookEvery // whoever ends makes room, and says so
}

// run runs a check, counts the run, and puts the check back into the queue.
func (s *Scheduler) run(ctx context.Context, e *entry) {
	s.mu.Lock()
	c := e.plan.Check
	s.mu.Unlock()
	limited, cancel := context.WithTimeoutCause(ctx, c.Time, fmt.Errorf("stopped after the time limit of its schedule, %v", c.Time))
	defer cancel()
	event := s.config.Run(limited, check.Request{Command: c.Command, Args: c.Args, Origin: check.Schedule}, func(event check.Event) check.Standing {
		s.mu.Lock()
		defer s.mu.Unlock()
		if ctx.Err() != nil {
			return e.stands()
		}
		return e.judge(event)
	})
	s.done(e, event)
}

// done takes in what came of a run.
func (s *Scheduler) done(e *entry, event check.Event) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == maxRuns-1 {
		s.look() // there is room again
	}
	e.running, e.last = false, event
	e.finish(event, nil)
	if e.removed {
		delete(s.checks, e.plan.Name)
		return
	}
	missed := e.miss(now)
	if missed > 0 && !e.late {
		s.config.Log.Warn("a check was not done when it was due again; give it a longer interval, or a shorter time limit", "check", e.plan.Name, "missed", missed)
	}
	e.late = missed > 0
	e.goesOn(now)
	s.waiting.push(e)
	if s.waiting.head() == e {
		s.look() // it is due before all for which Serve waits
	}
}

// jumped puts right when the checks are due that wait, after the wall clock went
// so far by itself.
func (s *Scheduler) jumped(ahead time.Duration, now time.Time) {
	if ahead.Abs() < jumpOf {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	late, missed := 0, uint64(0)
	for _, e := range s.waiting {
		switch {
		case ahead < 0:
			e.back(ahead, now)
		case !e.due.IsZero() && !e.due.After(now):
			late++
			missed += e.miss(now)
			e.due = now
		}
	}
	heap.Init(&s.waiting)
	if ahead > 0 {
		s.config.Log.Warn("the machine slept, or its clock was set forward; checks that are late run once", "by", ahead, "late", late, "missed", missed)
	} else {
		s.config.Log.Warn("the clock was set back; checks run at their times by the new one", "by", -ahead)
	}
}
