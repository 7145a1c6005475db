//go:build linux

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	goruntime "runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Command is the argument with which a program is a worker: it calls Work.
const Command = "work"

// An Order is what a worker is to do next; one of its fields says what.
type Order struct {
	Open *Job          // make modules ready
	Each bool          // run every check once
	Rest bool          // let what goes on in the background end, and give memory back
	For  time.Duration // run checks for some time
	Idle int           // run that many checks, with rests between them
	Hold int           // start that many runs that stay
	Wait bool          // for them
	Turn bool          // with For: of every module in turn, rather than of the first one
}

// An Answer is what came of an Order.
type Answer struct {
	Times   []time.Duration // of each run
	Elapsed time.Duration
	CPU     time.Duration // of the worker and of the processes that it started
	Failure string
}

// Work is a process of its own for one check that is run in one way: nothing else is in
// its memory, and nothing else adds to its times. It carries out orders until there are
// no more.
func Work(ways map[string]Open, orders io.Reader, answers io.Writer) error {
	w, in, out := &work{ways: ways}, json.NewDecoder(orders), json.NewEncoder(answers)
	for {
		var o Order
		if err := in.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := w.do(context.Background(), o)
		if err != nil {
			a.Failure = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
}

// A work is what a worker has in hand.
type work struct {
	ways map[string]Open
	job  Job
	ask  Asker
	next atomic.Int64
	held sync.WaitGroup
	lost error // of a run that was held
}

func (w *work) do(ctx context.Context, o Order) (a Answer, err error) {
	switch {
	case o.Open != nil:
		return w.open(ctx, *o.Open)
	case o.Each:
		return a, w.each(ctx)
	case o.Rest:
		rest()
	case o.Hold > 0:
		w.hold(ctx, o.Hold)
	case o.Idle > 0:
		return w.idle(ctx, o.Idle)
	case o.Wait:
		w.held.Wait()
		return a, w.lost
	default:
		return w.runs(ctx, o)
	}
	return a, nil
}

// open makes modules ready, and gets a first answer of the last of them if it is wanted.
func (w *work) open(ctx context.Context, j Job) (a Answer, err error) {
	programs, err := j.programs()
	if err != nil {
		return a, err
	}
	began := time.Now()
	w.job = j
	w.ask, err = w.ways[j.Way](ctx, j, programs)
	if err == nil && j.First {
		err = w.ask(ctx, j.Modules-1, false)
	}
	a.Elapsed = time.Since(began)
	return a, err
}

// settle is how long a worker rests, for what it does by itself after a run.
const settle = 300 * time.Millisecond

// rest lets what goes on in the background end, and gives memory back.
func rest() {
	time.Sleep(settle)
	goruntime.GC()
	debug.FreeOSMemory()
}

func (w *work) each(ctx context.Context) error {
	for i := range w.job.Modules {
		if err := w.ask(ctx, i, false); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) hold(ctx context.Context, n int) {
	var mu sync.Mutex
	for i := range n {
		w.held.Go(func() {
			if err := w.ask(ctx, i%w.job.Modules, true); err != nil {
				mu.Lock()
				defer mu.Unlock()
				w.lost = fmt.Errorf("a run that stays: %w", err)
			}
		})
	}
}

// runs runs checks for some time, one at a time for each processor, at least one each.
func (w *work) runs(ctx context.Context, o Order) (a Answer, err error) {
	clients := goruntime.GOMAXPROCS(0)
	parts, errs := make([][]time.Duration, clients), make([]error, clients)
	before, began := cpu(), time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { parts[i], errs[i] = w.client(ctx, o, began) })
	}
	all.Wait()
	a.Elapsed, a.CPU = time.Since(began), cpu()-before
	for _, part := range parts {
		a.Times = append(a.Times, part...)
	}
	return a, errors.Join(errs...)
}

// pause is the rest between two checks that do not follow one another.
const pause = 3 * time.Millisecond

// idle runs checks one at a time, each after a rest.
func (w *work) idle(ctx context.Context, n int) (a Answer, err error) {
	for range n {
		time.Sleep(pause)
		start := time.Now()
		if err := w.ask(ctx, 0, false); err != nil {
			return a, err
		}
		a.Times = append(a.Times, time.Since(start))
	}
	return a, nil
}

// client runs one check after the other.
func (w *work) client(ctx context.Context, o Order, began time.Time) (times []time.Duration, err error) {
	for len(times) == 0 || time.Since(began) < o.For {
		module := 0
		if o.Turn {
			module = int(w.next.Add(1)) % w.job.Modules
		}
		start := time.Now()
		if err := w.ask(ctx, module, false); err != nil {
			return times, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

// cpu is the time on processors of this process and of those that it started and that
// have ended.
func cpu() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		_ = syscall.Getrusage(who, &used) // fails for no such who
		sum += time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	return sum
}
