package rest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// A Scheduled is a check that the agent runs by itself.
type Scheduled struct {
	// Name is what it is asked for by.
	Name string
	// Command is what it runs. Its arguments may be secrets; nobody is told.
	Command string
	// Interval is the time from one run to the next; zero if Cron says when it runs.
	Interval time.Duration
	Cron     string
	// Last is the event of its last run; the zero Event if it has not run.
	Last check.Event
	// Next is when it is due; zero if never, and while it is running.
	Next    time.Time
	Running bool
	// Missed counts the times at which it was due and did not run.
	Missed uint64
}

func (a *api) scheduleRoutes() []route {
	return []route{
		{verb: "GET", pattern: "/api/{version}/schedule", answer: a.listScheduled},
		{verb: "GET", pattern: "/api/{version}/schedule/{check}", answer: a.scheduled},
		{verb: "POST", pattern: "/api/{version}/schedule/{check}/commands/run", kind: changes, answer: a.runScheduled},
	}
}

// scheduledJSON is one scheduled check: in a list it has the first URL, by itself the
// other one. What is not known before its first run is null.
type scheduledJSON struct {
	Name        string          `json:"name"`
	Command     string          `json:"command"`
	ScheduleURL string          `json:"schedule_url,omitempty"`
	Interval    float64         `json:"interval_seconds"`
	Cron        string          `json:"cron"`
	State       *check.State    `json:"state"`
	Text        string          `json:"text"`
	Standing    *check.Standing `json:"standing"`
	LastRun     *time.Time      `json:"last_run"`
	NextRun     *time.Time      `json:"next_run"`
	Running     bool            `json:"running"`
	Missed      uint64          `json:"missed"`
	RunURL      string          `json:"run_url,omitempty"`
}

func (s Scheduled) json() scheduledJSON {
	j := scheduledJSON{
		Name: s.Name, Command: s.Command, Interval: s.Interval.Seconds(), Cron: s.Cron, Standing: s.Last.Standing,
		Text: s.Last.Result.Text, LastRun: ifSet(s.Last.Time), NextRun: ifSet(s.Next), Running: s.Running, Missed: s.Missed,
	}
	if j.LastRun != nil {
		j.State = &s.Last.Result.State
	}
	return j
}

func ifSet(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// listScheduled lists the checks whose commands the user may run.
func (a *api) listScheduled(q *request) http.Handler {
	list := []scheduledJSON{}
	for _, s := range a.schedule() {
		if q.mayRun(s.Command) == nil {
			j := s.json()
			j.ScheduleURL = q.url("schedule", s.Name)
			list = append(list, j)
		}
	}
	return document(http.StatusOK, list)
}

func (a *api) schedule() []Scheduled {
	if a.Schedule == nil {
		return nil
	}
	return a.Schedule()
}

func (a *api) scheduled(q *request) http.Handler {
	s, err := a.findScheduled(q)
	if err != nil {
		return problem(statusOf(err), "%v", err)
	}
	j := s.json()
	j.RunURL = q.url("schedule", s.Name, "commands", "run")
	return document(http.StatusOK, j)
}

// findScheduled finds the check that the request names, if the user may run its
// command.
func (a *api) findScheduled(q *request) (Scheduled, error) {
	name := q.vars["check"]
	for _, s := range a.schedule() {
		if s.Name == name {
			return s, q.mayRun(s.Command)
		}
	}
	return Scheduled{}, &Refusal{http.StatusNotFound, fmt.Errorf("there is no scheduled check %q; see %s", name, q.url("schedule"))}
}

// ranJSON is the result of a run with how the check stands after it.
type ranJSON struct {
	executed[int, map[string]perfJSON]
	Standing *check.Standing `json:"standing"`
}

// runScheduled runs a check now.
func (a *api) runScheduled(q *request) http.Handler {
	s, err := a.findScheduled(q)
	var e check.Event
	if err == nil {
		e, err = a.RunNow(q.Context(), s.Name)
	}
	a.audit(q, Action{Name: "run " + q.vars["check"], Err: err})
	switch {
	case err != nil && statusOf(err) == http.StatusServiceUnavailable:
		return with(refusal(q.Request, http.StatusServiceUnavailable, err.Error()), "Retry-After", "1")
	case err != nil:
		return refusal(q.Request, statusOf(err), err.Error())
	case q.wantsText():
		return resultText(e.Result)
	}
	return document(http.StatusOK, ranJSON{executedResult(e.Request.Command, e.Result), e.Standing})
}
