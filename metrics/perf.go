package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wasmagent/wasmagent/check"
)

// perf describes the metrics of performance data: of each dimension one of
// values and one of their bounds.
type perf struct {
	values, bounds map[dimension]*prometheus.Desc
	omitted        *prometheus.Desc
}

// newPerf describes metrics whose names begin with prefix, with labels before
// their own.
func newPerf(prefix string, labels ...string) perf {
	described := func(name, help string, own ...string) *prometheus.Desc {
		return metric(prefix+"_perf_"+name, help, append(labels[:len(labels):len(labels)], own...)...)
	}
	const bound = "The bounds of performance data: min, max, and what raises an alert: a value below warning_below, above warning_above, " +
		"or from warning_from to warning_to; critical likewise."
	return perf{
		values: map[dimension]*prometheus.Desc{
			duration: described("seconds", "Performance data of units of time.", "label"),
			size:     described("bytes", "Performance data of units of bytes.", "label"),
			ratio:    described("ratio", "Performance data in percent, as a ratio: 1 is 100 %.", "label"),
			total:    described("total", "Performance data that are counters.", "label"),
			plain:    described("value", "Performance data without a unit, or of one that has no base unit.", "label", "unit"),
		},
		bounds: map[dimension]*prometheus.Desc{
			duration: described("bound_seconds", bound, "label", "bound"),
			size:     described("bound_bytes", bound, "label", "bound"),
			ratio:    described("bound_ratio", bound, "label", "bound"),
			plain:    described("bound_value", bound, "label", "unit", "bound"),
		},
		omitted: described("omitted", "Items of performance data that have no series: not determined, of a label that an item before has, or too many."),
	}
}

// collect sends the series of at most room items, and returns of how many.
func (p perf) collect(out chan<- prometheus.Metric, items []check.Perf, room int, labels ...string) (sent int) {
	seen := map[string]bool{}
	for _, item := range items {
		name := label(item.Label)
		if sent < min(room, MaxItems) && !seen[name] && p.item(out, item, labels) {
			seen[name] = true
			sent++
		}
	}
	out <- gauge(p.omitted, float64(len(items)-sent), labels...)
	return sent
}

// item sends the series of one item, none if it has no value.
func (p perf) item(out chan<- prometheus.Metric, item check.Perf, labels []string) (sent bool) {
	unit := unitOf(item)
	v, ok := unit.base(item.Value)
	if !ok {
		return false
	}
	labels = append(labels[:len(labels):len(labels)], item.Label)
	kind := gauge
	switch unit.dimension {
	case plain:
		labels = append(labels, item.Unit)
	case total:
		kind = counter
	}
	out <- kind(p.values[unit.dimension], v, labels...)
	// What bounds a counter is none.
	if unit.dimension == total {
		unit.dimension, labels = plain, append(labels, item.Unit)
	}
	for bound, at := range boundsOf(item) {
		if v, ok := unit.base(at); ok {
			out <- gauge(p.bounds[unit.dimension], v, append(labels[:len(labels):len(labels)], bound)...)
		}
	}
	return true
}

// boundsOf are the bounds of an item by their names; one that is open is
// infinite.
func boundsOf(item check.Perf) map[string]float64 {
	bounds := map[string]float64{}
	for name, at := range map[string]*float64{"min": item.Min, "max": item.Max} {
		if at != nil {
			bounds[name] = *at
		}
	}
	for name, r := range map[string]*check.Range{"warning": item.Warn, "critical": item.Crit} {
		switch {
		case r == nil:
		case r.Inside:
			bounds[name+"_from"], bounds[name+"_to"] = r.Start, r.End
		default:
			bounds[name+"_below"], bounds[name+"_above"] = r.Start, r.End
		}
	}
	return bounds
}
