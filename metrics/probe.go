package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wasmagent/wasmagent/check"
)

// Probe gathers the result of one run that took so long, as the exporters do
// that probe at the time of a scrape: probe_success is 1 if the state is OK.
func Probe(r check.Result, took time.Duration) prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	success := metric("probe_success", "Whether the state of the check is OK.")
	duration := metric("probe_duration_seconds", "How long the run of the check took.")
	state := metric("probe_state", "The state of the check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.")
	perf := newPerf("probe")
	registry.MustRegister(source(func(out chan<- prometheus.Metric) {
		out <- gauge(success, number(r.State == check.StateOK))
		out <- gauge(duration, took.Seconds())
		out <- gauge(state, float64(r.State.ExitStatus()))
		perf.collect(out, r.Perf, MaxItems)
	}))
	return registry
}
