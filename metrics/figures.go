package metrics

import (
	goruntime "runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// newFigures collects what the functions of a Config say about the agent.
func newFigures(c Config) prometheus.Collector {
	figures := []source{buildInfo(c.Version)}
	if c.Running != nil {
		figures = append(figures, running(c.Running))
	}
	if c.Modules != nil {
		figures = append(figures, modules(c.Modules))
	}
	if c.Listeners != nil {
		figures = append(figures, listeners(c.Listeners))
	}
	if c.Lost != nil {
		figures = append(figures, counts(c.Lost, metric("wasmagent_events_lost_total",
			"Events that a subscriber was too slow for.", "subscriber")))
	}
	if c.Missed != nil {
		figures = append(figures, counts(c.Missed, metric("wasmagent_check_missed_runs_total",
			"Runs of a scheduled check that were left out, because the one before had not ended or the machine was asleep.", "check")))
	}
	return source(func(out chan<- prometheus.Metric) {
		for _, f := range figures {
			f(out)
		}
	})
}

func buildInfo(version string) source {
	d := metric("wasmagent_build_info", "A metric with the constant value 1, and the versions of the agent and of Go.",
		"version", "goversion", "goos", "goarch")
	return func(out chan<- prometheus.Metric) {
		out <- gauge(d, 1, version, goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
	}
}

func running(count func() int) source {
	d := metric("wasmagent_running_checks", "Checks that are being run.")
	return func(out chan<- prometheus.Metric) { out <- gauge(d, float64(count())) }
}

// counts collects a counter of each name. Names that are one once they are
// clean have one counter.
func counts(read func() map[string]uint64, d *prometheus.Desc) source {
	return func(out chan<- prometheus.Metric) {
		for name, n := range summed(read()) {
			out <- counter(d, float64(n), name)
		}
	}
}

// summed adds up what counts under one label.
func summed(counts map[string]uint64) map[string]uint64 {
	sums := make(map[string]uint64, len(counts))
	for name, n := range counts {
		sums[label(name)] += n
	}
	return sums
}

// modules collects one series of each module, and how many are in a state.
func modules(list func() []Module) source {
	info := metric("wasmagent_module_info", "A metric with the constant value 1 for each module, with its state, its own word of its version, and the SHA-256 of its zip.",
		"module", "state", "version", "digest")
	count := metric("wasmagent_modules", "Modules, by their state.", "state")
	return func(out chan<- prometheus.Metric) {
		states := map[string]uint64{}
		for _, m := range distinct(list(), func(m Module) string { return m.Name }) {
			out <- gauge(info, 1, m.Name, m.State, m.Version, m.Digest)
			states[m.State]++
		}
		for state, n := range summed(states) {
			out <- gauge(count, float64(n), state)
		}
	}
}

func listeners(list func() []Listener) source {
	connections := metric("wasmagent_listener_open_connections", "Connections that are open.", "listener")
	requests := metric("wasmagent_listener_running_requests", "Requests that are being answered.", "listener")
	accepted := metric("wasmagent_listener_connections_total", "Connections that came, those that were turned away included.", "listener")
	served := metric("wasmagent_listener_requests_total", "Requests that were served, or are being.", "listener")
	refused := metric("wasmagent_listener_refused_total", "Connections and requests that were turned away, by the reason.", "listener", "reason")
	return func(out chan<- prometheus.Metric) {
		for _, l := range distinct(list(), func(l Listener) string { return l.Name }) {
			out <- gauge(connections, float64(l.Connections), l.Name)
			out <- gauge(requests, float64(l.Requests), l.Name)
			out <- counter(accepted, float64(l.Accepted), l.Name)
			out <- counter(served, float64(l.Served), l.Name)
			for reason, n := range summed(l.Refused) {
				out <- counter(refused, float64(n), l.Name, reason)
			}
		}
	}
}

// distinct are the first of those with one name, as a label has it.
func distinct[T any](list []T, name func(T) string) []T {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(list), func(one T) bool {
		key := label(name(one))
		again := seen[key]
		seen[key] = true
		return again
	})
}
