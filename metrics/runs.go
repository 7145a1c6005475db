package metrics

import (
	"errors"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wasmagent/wasmagent/check"
)

// runs count what was run.
type runs struct {
	done     *prometheus.CounterVec
	duration *prometheus.HistogramVec
	refused  *prometheus.CounterVec
	lost     prometheus.Counter

	mu       sync.Mutex
	commands map[command]bool // that are told apart
	last     uint64           // the number of the last event
}

// A command is one command of one module, as labels name it.
type command struct{ module, name string }

func newRuns() *runs {
	return &runs{
		done: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wasmagent_runs_total",
			Help: "Runs of commands, by who asked for them and the state that they found. Commands beyond the first 512 have no name here.",
		}, []string{"module", "command", "origin", "state"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "wasmagent_run_duration_seconds",
			Help:    "How long the runs of commands took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"module", "command"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wasmagent_runs_refused_total",
			Help: "Requests that no command was run for: busy (too many were running), unknown (no module has the command) or limit (the request was too large or nested too deep).",
		}, []string{"origin", "reason"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wasmagent_runs_uncounted_total",
			Help: "Runs that are missing in the other figures of runs, because there were too many at a time.",
		}),
		commands: map[command]bool{},
	}
}

func (r *runs) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.done, r.duration, r.refused, r.lost}
}

func (r *runs) observe(e check.Event) {
	origin := label(string(e.Request.Origin))
	c, lost := r.note(e)
	r.lost.Add(float64(lost))
	if e.Module == "" {
		r.refused.WithLabelValues(origin, reason(e.Err)).Inc()
		return
	}
	r.done.WithLabelValues(c.module, c.name, origin, strings.ToLower(e.Result.State.String())).Inc()
	r.duration.WithLabelValues(c.module, c.name).Observe(e.Result.Usage.Wall.Seconds())
}

// note finds the labels of an event's command, and how many events were lost
// since the one before.
func (r *runs) note(e check.Event) (c command, lost uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Number > r.last {
		lost, r.last = e.Number-r.last-1, e.Number
	}
	if e.Module == "" {
		return command{}, lost
	}
	c = commandOf(e)
	if !r.commands[c] {
		if len(r.commands) == MaxCommands {
			return command{}, lost
		}
		r.commands[c] = true
	}
	return c, lost
}

// commandOf is the one name of a command that may be written in many ways:
// names ignore case, and MODULE. may come before the alias.
func commandOf(e check.Event) command {
	alias := strings.ToLower(e.Request.Command)
	return command{label(e.Module), label(strings.TrimPrefix(alias, strings.ToLower(e.Module)+"."))}
}

// reason is why no command was run.
func reason(err error) string {
	switch {
	case errors.Is(err, check.ErrBusy):
		return "busy"
	case errors.Is(err, check.ErrUnknownCommand):
		return "unknown"
	}
	return "limit"
}
