// Package metrics is what the agent tells Prometheus: its own figures, and the
// last result of every scheduled check with its performance data. A Metrics is
// a prometheus.Gatherer, which both /metrics and OTLP read.
//
// Names follow Prometheus' own conventions
// (https://prometheus.io/docs/practices/naming/): base units, a counter ends in
// _total, and whatever is the agent's begins with wasmagent_.
//
// Guarantees:
//
//   - Nothing that a peer sends is a label: the name of a command is one only
//     if a module has the command, and at most MaxCommands are.
//   - What a script prints, the labels of its performance data, is bounded by
//     MaxItems for one check and by MaxAllItems for all of them, and can make no
//     gathering fail: not by its bytes, its numbers or its repetitions.
//   - There is no global state. Each Metrics has a registry of its own.
//
// A Metrics is safe for concurrent use. The functions of a Config are called
// at every gathering, perhaps by several at a time.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"github.com/wasmagent/wasmagent/check"
)

// The bounds of what is gathered.
const (
	MaxCommands = 512    // commands whose runs are told apart
	MaxItems    = 100    // items of performance data of one result; each has up to 7 series
	MaxAllItems = 10_000 // items of performance data of all scheduled checks together
	MaxLabel    = 200    // bytes of a label's value; what is longer is cut
)

// Config says where the figures come from. What is nil has none.
type Config struct {
	// Version is the agent's.
	Version string
	// Checks are the last events of the scheduled checks that ran, each with its
	// Standing. Of two that have one name the first counts.
	Checks func() []check.Event
	// Missed is how many runs each scheduled check missed, by its name.
	Missed func() map[string]uint64
	// Running is how many checks run.
	Running func() int
	// Modules are the modules of the agent.
	Modules func() []Module
	// Listeners are the listeners that are open.
	Listeners func() []Listener
	// Lost is how many events each subscriber lost, by its name. What the one lost
	// that calls Observe is not counted as runs.
	Lost func() map[string]uint64
}

// A Module is what is known of one module of the agent.
type Module struct {
	// Name is the MODULE of MODULE.alias.
	Name string
	// State is how it fares, such as "loaded" or "degraded".
	State string
	// Version is its own word; Digest is the SHA-256 of its zip. A built-in
	// module has neither.
	Version, Digest string
}

// A Listener is what came to one listener.
type Listener struct {
	// Name is what the listener speaks and where, such as "nrpe 127.0.0.1:5666".
	Name string
	// Connections and Requests are how many are open, and are being answered.
	Connections, Requests int
	// Accepted is how many connections came, Served how many requests were served.
	Accepted, Served uint64
	// Refused is how many connections and requests were turned away, by the
	// reason; reasons are few.
	Refused map[string]uint64
}

// A Metrics gathers the figures of one agent.
type Metrics struct {
	registry *prometheus.Registry
	runs     *runs
	reloads  *reloads
}

// New returns a Metrics without runs.
func New(c Config) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), runs: newRuns(), reloads: newReloads()}
	m.registry.MustRegister(m.runs.collectors()...)
	m.registry.MustRegister(m.reloads.collectors()...)
	m.registry.MustRegister(
		newFigures(c),
		newChecks(c),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Observe counts one run.
func (m *Metrics) Observe(e check.Event) { m.runs.observe(e) }

// Reloaded notes that a configuration was taken at that time, the first one
// included; or, if err is not nil, that it was refused.
func (m *Metrics) Reloaded(at time.Time, err error) { m.reloads.note(at, err) }

// Gather gathers all figures as they are now, sorted.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) { return m.registry.Gather() }
