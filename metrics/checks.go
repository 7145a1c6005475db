package metrics

import (
	"cmp"
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wasmagent/wasmagent/check"
)

// A checkGauge is one figure of the last run of a scheduled check.
type checkGauge struct {
	name, help string
	value      func(check.Event) float64 // NaN where there is none
}

var checkGauges = []checkGauge{
	{"state", "The state of the last run: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
		func(e check.Event) float64 { return float64(e.Result.State.ExitStatus()) }},
	{"state_type", "The type of the state: 0 soft, 1 hard.",
		func(e check.Event) float64 { return number(e.Standing.Hard) }},
	{"hard_state", "The last hard state: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
		func(e check.Event) float64 { return float64(e.Standing.HardState.ExitStatus()) }},
	{"hard_state_change_timestamp_seconds", "When the hard state last changed.",
		since},
	{"attempt", "Which run of the current state this was, from 1 to wasmagent_check_max_attempts.",
		func(e check.Event) float64 { return float64(e.Standing.Attempt) }},
	{"max_attempts", "How many runs in a row make a problem's state a hard one.",
		func(e check.Event) float64 { return float64(e.Standing.MaxAttempts) }},
	{"failed", "Whether the last run failed: there is no result, and the state is UNKNOWN.",
		func(e check.Event) float64 { return number(e.Err != nil) }},
	{"last_run_timestamp_seconds", "When the last run ended.",
		func(e check.Event) float64 { return seconds(e.Time) }},
	{"duration_seconds", "How long the last run took.",
		func(e check.Event) float64 { return e.Result.Usage.Wall.Seconds() }},
	{"instructions", "WebAssembly instructions of the last run, in the sandbox.",
		func(e check.Event) float64 { return measured(e.Result.Usage.Instructions) }},
	{"memory_bytes", "The most memory that the last run had, in the sandbox.",
		func(e check.Event) float64 { return measured(e.Result.Usage.Memory) }},
}

func since(e check.Event) float64 {
	if e.Standing.Since.IsZero() {
		return math.NaN()
	}
	return seconds(e.Standing.Since)
}

// measured is a figure of which zero says that it was not measured.
func measured[T uint64 | int64](figure T) float64 {
	return cmp.Or(float64(figure), math.NaN())
}

// newChecks collects the last runs of scheduled checks.
func newChecks(c Config) prometheus.Collector {
	if c.Checks == nil {
		return source(func(chan<- prometheus.Metric) {})
	}
	info := metric("wasmagent_check_info", "A metric with the constant value 1 for each scheduled check that ran, with its command and that one's module.",
		"check", "command", "module")
	var gauges []*prometheus.Desc
	for _, g := range checkGauges {
		gauges = append(gauges, metric("wasmagent_check_"+g.name, g.help, "check"))
	}
	perf := newPerf("wasmagent_check", "check")
	return source(func(out chan<- prometheus.Metric) {
		room := MaxAllItems
		for _, e := range scheduled(c.Checks()) {
			name := e.Standing.Check
			out <- gauge(info, 1, name, e.Request.Command, e.Module)
			for i, g := range checkGauges {
				if v := g.value(e); !math.IsNaN(v) {
					out <- gauge(gauges[i], v, name)
				}
			}
			room -= perf.collect(out, e.Result.Perf, room, name)
		}
	})
}

// scheduled are the events that have a standing, one of each check.
func scheduled(events []check.Event) []check.Event {
	var list []check.Event
	for _, e := range events {
		if e.Standing != nil {
			list = append(list, e)
		}
	}
	return distinct(list, func(e check.Event) string { return e.Standing.Check })
}
