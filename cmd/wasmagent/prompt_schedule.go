package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wasmagent/wasmagent/schedule"
)

// scheduled are the scheduled checks; only an agent that serves has any.
func (p *prompt) scheduled() []schedule.Status {
	if p.server == nil {
		return nil
	}
	return p.server.scheduler.Checks()
}

func (p *prompt) checkNames() (names []string) {
	for _, c := range p.scheduled() {
		names = append(names, c.Check.Name)
	}
	return names
}

// errUnscheduled is what asks for the schedule where none is run.
var errUnscheduled = errors.New("the schedule is run with --listen only; to run a command of that name, write query before it")

// schedule lists the checks, with the states that the last runs found.
func (p *prompt) schedule(context.Context, []string) error {
	if p.server == nil {
		return errUnscheduled
	}
	p.table(func(w io.Writer) {
		for _, c := range p.scheduled() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Check.Name, stands(c), due(c), oneLine(c.Last.Result.Text))
		}
	})
	return nil
}

// stands is the state of a check, with the attempt of a soft one.
func stands(c schedule.Status) string {
	s := c.Last.Standing
	switch {
	case s == nil:
		return "not run"
	case s.Hard:
		return c.Last.Result.State.String()
	}
	return fmt.Sprintf("%s (soft, %d of %d)", c.Last.Result.State, s.Attempt, s.MaxAttempts)
}

// due is when a check runs next.
func due(c schedule.Status) string {
	switch {
	case c.Running:
		return "running"
	case c.Next.IsZero():
		return "never"
	}
	return "next at " + c.Next.Format(time.DateTime)
}

// runNow runs a scheduled check, and lists it.
func (p *prompt) runNow(ctx context.Context, args []string) error {
	if p.server == nil {
		return errUnscheduled
	}
	e, err := p.server.scheduler.RunNow(ctx, args[0])
	if err != nil {
		return err
	}
	p.answer(e.Result)
	p.show(stands(schedule.Status{Last: e}))
	return nil
}
