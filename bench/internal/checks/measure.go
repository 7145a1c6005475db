//go:build linux

package checks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wasmagent/wasmagent/bench/internal/report"
	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// open opens a subject's modules in a worker that is there for that alone, and gets the
// first answer. It comes as soon as it can, or else when all is compiled.
func (s *subject) open(soon bool) (time.Duration, error) {
	w, err := s.hire(2)
	if err != nil {
		return 0, err
	}
	j := s.job
	j.First = soon
	a, err := w.Do(worker.Order{Open: &j})
	return a.Elapsed, errors.Join(err, w.Leave())
}

// slow is a start that is not measured again.
const slow = 500 * time.Millisecond

// repeated is the median of a time that is measured as often as planned.
func (l *lab) repeated(ctx context.Context, measure func() (time.Duration, error)) (time.Duration, error) {
	var times []time.Duration
	for range l.starts {
		d, err := measure()
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return 0, err
		}
		if times = append(times, d); d > slow {
			break
		}
	}
	return report.Percentile(times, 50), nil
}

// start measures how long it takes to the first answer, and leaves all compiled.
func (f *findings) start(ctx context.Context, l *lab) error {
	for _, s := range f.subjects {
		s.job.Cache = l.file("cache of " + s.String())
		if !s.again() {
			l.say("starting %s", s)
			s.failure = s.start(ctx, l)
		}
	}
	return context.Cause(ctx)
}

func (s *subject) start(ctx context.Context, l *lab) (err error) {
	s.cold, err = l.repeated(ctx, func() (time.Duration, error) {
		if err := errors.Join(os.RemoveAll(s.job.Cache), os.Mkdir(s.job.Cache, 0o700)); err != nil {
			return 0, err
		}
		return s.open(true)
	})
	if err != nil {
		return err
	}
	if _, err := s.open(false); err != nil {
		return err
	}
	s.warm, err = l.repeated(ctx, func() (time.Duration, error) { return s.open(true) })
	return err
}

// weigh measures the memory of every subject, of some at the same time.
func (f *findings) weigh(ctx context.Context, l *lab) error {
	l.say("weighing")
	var all errgroup.Group
	all.SetLimit(4)
	for _, s := range f.running() {
		if s.again() {
			continue
		}
		all.Go(func() error {
			s.failure = s.weigh()
			return context.Cause(ctx)
		})
	}
	return all.Wait()
}

// maxHeld is the most runs at one time, and heldEach that of a module, which the agent
// lets run 16.
const maxHeld, heldEach = 40, 12

// weigh measures a subject beside a worker that has no modules.
func (s *subject) weigh() error {
	none := s.job
	none.Modules, none.Held = 0, ""
	runs := min(s.job.Modules*heldEach, maxHeld)
	if s.job.Held != "" {
		runs = heldEach // all of one module
	}
	before, err := s.sizes(worker.Order{Open: &none})
	if err != nil {
		return err
	}
	with, err := s.sizes(worker.Order{Open: &s.job}, worker.Order{Each: true}, worker.Order{Hold: runs})
	if err != nil {
		return err
	}
	s.memory = footprint{(with[0] - before[0]) / s.job.Modules, (with[1] - with[0]) / s.job.Modules, (with[2] - with[1]) / runs}
	return nil
}

// sizes are what a worker has in memory after each of some orders.
func (s *subject) sizes(orders ...worker.Order) (list []int, err error) {
	w, err := s.hire(2)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Leave()) }()
	for _, o := range orders {
		_, err := w.Do(o)
		if err == nil {
			_, err = w.Do(worker.Order{Rest: true})
		}
		if err != nil {
			return nil, err
		}
		size, err := w.Memory()
		if err != nil {
			return nil, err
		}
		list = append(list, size)
	}
	_, err = w.Do(worker.Order{Wait: true})
	return list, err
}

// running are the subjects that nothing has gone wrong with.
func (f *findings) running() []*subject {
	return slices.DeleteFunc(slices.Clone(f.subjects), func(s *subject) bool { return s.failure != nil })
}

// A lane is where a subject runs: on one processor, or on two.
type lane struct {
	*subject
	processors int
	worker     *worker.Worker
}

// race has all subjects run in turn, round after round.
func (f *findings) race(ctx context.Context, l *lab) (err error) {
	lanes, err := f.lanes(ctx, l)
	defer func() {
		for _, lane := range lanes {
			err = errors.Join(err, lane.worker.Leave())
		}
	}()
	if err != nil {
		return err
	}
	for i := range l.rounds {
		l.say("round %d of %d", i+1, l.rounds)
		for _, lane := range lanes {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			lane.run(l.time)
		}
		slices.Reverse(lanes) // so that what slows one round down does not always do it to the same
	}
	return nil
}

// lanes makes all subjects ready, some at a time.
func (f *findings) lanes(ctx context.Context, l *lab) (lanes []lane, err error) {
	l.say("getting ready")
	var all errgroup.Group
	all.SetLimit(3)
	for _, s := range f.running() {
		var pair []lane
		for _, processors := range []int{1, 2} {
			w, err := s.hire(processors)
			if err != nil {
				return lanes, errors.Join(err, all.Wait())
			}
			pair = append(pair, lane{s, processors, w})
			lanes = append(lanes, pair[len(pair)-1])
		}
		all.Go(func() error {
			for _, lane := range pair {
				lane.ready(l.time)
			}
			return context.Cause(ctx)
		})
	}
	return lanes, all.Wait()
}

// idleRuns is how many runs of a round have a rest before them.
const idleRuns = 5

// do carries out an order, unless something has gone wrong with the subject.
func (l lane) do(o worker.Order) (worker.Answer, bool) {
	if l.failure != nil {
		return worker.Answer{}, false
	}
	a, err := l.worker.Do(o)
	l.failure = err
	return a, err == nil
}

// ready makes the modules ready, with all that is made when they run first.
func (l lane) ready(d time.Duration) {
	l.do(worker.Order{Open: &l.job})
	l.do(worker.Order{Each: true})
	l.do(worker.Order{For: 2 * d, Turn: l.turn})
}

// run is a round of a lane.
func (l lane) run(d time.Duration) {
	if a, ok := l.do(worker.Order{For: d, Turn: l.turn}); ok {
		l.runs[l.processors].add(a)
	}
	if l.processors > 1 || l.job.Modules > 1 {
		return
	}
	if a, ok := l.do(worker.Order{Idle: idleRuns}); ok {
		l.idle = append(l.idle, report.Percentile(a.Times, 50))
	}
}

// String names a subject for people.
func (s *subject) String() string {
	name := s.check + ", " + s.job.Way
	if s.job.Modules > 1 {
		name += fmt.Sprintf(", %d modules", s.job.Modules)
	}
	return name
}
