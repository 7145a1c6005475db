package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// A source is a Collector that is a function. Its metrics differ from one
// gathering to the next, so that none is described beforehand.
type source func(out chan<- prometheus.Metric)

// Collect calls s.
func (s source) Collect(out chan<- prometheus.Metric) { s(out) }

// Describe describes nothing.
func (source) Describe(chan<- *prometheus.Desc) {}

// metric describes a metric of that name.
func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// gauge is a sample of a gauge, counter one of a counter. Any labels will do.
func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, clean(labels)...)
}

func counter(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, clean(labels)...)
}

// clean makes values of labels of any text: of valid UTF-8, and not longer than
// MaxLabel.
func clean(labels []string) []string {
	values := make([]string, len(labels))
	for i, text := range labels {
		values[i] = label(text)
	}
	return values
}

func label(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), MaxLabel)], "\uFFFD")
}

// number is 1 for true.
func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
