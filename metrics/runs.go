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

	mu       sync.Mutex
	commands map[command]bool // that are told apart
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
			Help: "Requests that no command was run for: busy (too many were running), unknown (no module has the command), forbidden (who asks may not run it) or limit (the request was too large or nested too deep).",
		}, []string{"origin", "reason"}),
		commands: map[command]bool{},
	}
}

func (r *runs) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.done, r.duration, r.refused}
}

func (r *runs) observe(e check.Event) {
	origin := label(string(e.Request.Origin))
	if e.Module == "" {
		r.refused.WithLabelValues(origin, reason(e.Err)).Inc()
		return
	}
	c := r.known(commandOf(e))
	r.done.WithLabelValues(c.module, c.name, origin, strings.ToLower(e.Result.State.String())).Inc()
	r.duration.WithLabelValues(c.module, c.name).Observe(e.Result.Usage.Wall.Seconds())
}

// known is c, or the zero command once there are enough others.
func (r *runs) known(c command) command {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.commands[c] && len(r.commands) == MaxCommands {
		return command{}
	}
	r.commands[c] = true
	return c
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
	case errors.Is(err, check.ErrNotAllowed):
		return "forbidden"
	}
	return "limit"
}
