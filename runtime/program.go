package runtime

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wasmagent/wasmagent/policy"
)

// A Program is a program that is ready to run, any number of times and at the
// same time. Make one with Engine.Program.
type Program struct {
	engine *Engine
	unit   *share[unitKey, *unit]
	closed atomic.Bool
}

// Run runs the program from its start to its end.
//
// It returns a nil error if the program ended by itself: then Usage.ExitStatus is
// the number that it exited with, from 0 to 4294967295, whatever that means.
// Otherwise the error says in one line what happened; it matches
// context.DeadlineExceeded or context.Canceled if the run was stopped because ctx
// or guest.Limits.Time ended, and is a *Trap if the program broke a rule of
// WebAssembly. The Output is filled in either way.
func (p *Program) Run(ctx context.Context, guest Guest) (Output, error) {
	if err := guest.check(); err != nil {
		return Output{}, err
	}
	c, err := p.hold()
	if err != nil {
		return Output{}, err
	}
	defer c.release()
	limits := guest.Limits.WithDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Time, timeLimit(limits.Time))
	defer cancel()
	start := time.Now()
	r := p.engine.newRun(ctx, guest, limits)
	defer r.files.Close()
	p.engine.standby.began()
	status, err := r.execute(p.engine, c)
	out := r.output()
	p.engine.standby.ended(c, r.instance, err == nil)
	out.Usage.Wall = time.Since(start)
	if err != nil && c.waits {
		err = fmt.Errorf("%w; it was interpreted, which is slow, for it is not compiled yet", err)
	}
	if err == nil {
		out.Usage.ExitStatus = &status
	}
	return out, err
}

// hold keeps the code of an open program for a run.
func (p *Program) hold() (*code, error) {
	for !p.closed.Load() {
		c := p.unit.value.code.Load()
		if c == nil {
			break
		}
		if c.hold() { // or it was replaced meanwhile
			return c, nil
		}
	}
	return nil, ErrClosed
}

// Compiled waits until the program is no longer interpreted for the time being; see
// Config.InterpretFirst. The error says why it goes on so: compiling it failed, the
// program was closed, or ctx has ended.
func (p *Program) Compiled(ctx context.Context) error {
	select {
	case <-p.unit.value.settled:
		return p.unit.value.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close closes the program. Runs in progress go on to their end; there are no new
// ones. Closing it again does nothing.
func (p *Program) Close() error {
	p.engine.drop(p)
	return nil
}

// check refuses arguments that a program cannot be given.
func (g Guest) check() error {
	size := 0
	for _, arg := range g.Args {
		size += len(arg) + 1
		if strings.Contains(arg, "\x00") {
			return fmt.Errorf("the argument %.40q holds a NUL, which no program can be given; remove it", arg)
		}
	}
	if size > MaxArgs {
		return fmt.Errorf("the arguments have %d bytes together; at most %d are possible", size, MaxArgs)
	}
	return nil
}

// Snapshot initialises the program, if it is a reactor that was not run yet, and keeps
// what came of it: every run then begins from a copy of that. It returns nil if it does,
// and otherwise why each run initialises the program anew, or that ctx or limits.Time
// ended.
func (p *Program) Snapshot(ctx context.Context, limits policy.Limits) error {
	c, err := p.hold()
	if err != nil {
		return err
	}
	defer c.release()
	limits = limits.WithDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Time, timeLimit(limits.Time))
	defer cancel()
	o := c.origin
	o.making.Lock()
	defer o.making.Unlock()
	err = o.keep(ctx, p.engine, c, limits)
	if err != nil && ctx.Err() != nil {
		return ended(ctx)
	}
	return err
}
