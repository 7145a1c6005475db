package schedule

import (
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// An entry is a check with what has become of it. The Scheduler's lock guards it.
type entry struct {
	plan    plan
	counter counter
	last    check.Event
	missed  uint64

	due     time.Time // zero is never; of a run, when it was due
	apart   bool      // whether due is none of the plan's times
	place   int       // in the queue, -1 while it is not there
	running bool
	removed bool   // and running still
	late    bool   // whether the last run was not done when it was due again
	asked   *asked // the run that RunNow waits for, nil if nobody does
}

// An asked is a run that somebody waits for.
type asked struct {
	done  chan struct{} // closed after event and err are set
	event check.Event
	err   error
}

func newEntry(p plan, now time.Time) *entry {
	e := &entry{plan: p, counter: counter{hard: check.StateOK}, place: -1}
	e.begins(now)
	return e
}

// begins says when a check is due whose times are new. One with a long interval
// comes soon the first time.
func (e *entry) begins(now time.Time) {
	e.due, e.apart = e.plan.times(now), false
	if soon := now.Add(e.plan.phase % FirstWithin); e.plan.Interval > FirstWithin && soon.Before(e.due) {
		e.due, e.apart = soon, true
	}
}

// goesOn says when the check is due after a run that ended now.
func (e *entry) goesOn(now time.Time) {
	e.due, e.apart = e.plan.times(now), false
	if e.counter.soft > 0 {
		e.due, e.apart = now.Add(e.plan.RetryInterval), true
	}
}

// back says when the check is due after the clock was set back to now, by so
// much, which is below zero.
func (e *entry) back(by time.Duration, now time.Time) {
	if e.apart {
		e.due = e.due.Add(by)
	} else {
		e.due = e.plan.times(now)
	}
}

// maxMissed is how many times are counted that were missed in one go.
const maxMissed = 1000

// miss counts the times that have passed since the check was due.
func (e *entry) miss(now time.Time) (n uint64) {
	for t := e.plan.times(e.due); !t.IsZero() && !t.After(now) && n < maxMissed; t = e.plan.times(t) {
		n++
	}
	e.missed += n
	return n
}

// judge counts a run.
func (e *entry) judge(event check.Event) check.Standing {
	standing := e.counter.count(event.Result.State, e.plan.MaxAttempts, event.Time)
	standing.Check = e.plan.Name
	return standing
}

// stands is how the check stands when a run does not count.
func (e *entry) stands() check.Standing {
	return check.Standing{
		Check:       e.plan.Name,
		HardState:   e.counter.hard,
		Attempt:     max(1, e.counter.soft),
		MaxAttempts: e.plan.MaxAttempts,
		Since:       e.counter.since,
	}
}

// finish tells whoever waits what came of the run.
func (e *entry) finish(event check.Event, err error) {
	if e.asked != nil {
		e.asked.event, e.asked.err = event, err
		close(e.asked.done)
		e.asked = nil
	}
}

func (e *entry) status() Status {
	s := Status{Check: e.plan.Check, Last: e.last, Next: e.due, Running: e.running, Missed: e.missed}
	if e.running {
		s.Next = time.Time{}
	}
	return s
}
