package metrics

import (
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Values are the figures as they are now by their names, for who reads no format of
// Prometheus: NAME, or NAME{LABEL="VALUE",...}. Of a histogram there are NAME_count and
// NAME_sum.
func (m *Metrics) Values() (map[string]float64, error) {
	families, err := m.Gather()
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			labels := labelsOf(metric)
			switch {
			case metric.Counter != nil:
				values[f.GetName()+labels] = metric.Counter.GetValue()
			case metric.Gauge != nil:
				values[f.GetName()+labels] = metric.Gauge.GetValue()
			case metric.Untyped != nil:
				values[f.GetName()+labels] = metric.Untyped.GetValue()
			case metric.Histogram != nil:
				values[f.GetName()+"_count"+labels] = float64(metric.Histogram.GetSampleCount())
				values[f.GetName()+"_sum"+labels] = metric.Histogram.GetSampleSum()
			case metric.Summary != nil:
				values[f.GetName()+"_count"+labels] = float64(metric.Summary.GetSampleCount())
				values[f.GetName()+"_sum"+labels] = metric.Summary.GetSampleSum()
			}
		}
	}
	return values, nil
}

var labelEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labelsOf writes the labels of a metric as Prometheus does.
func labelsOf(m *dto.Metric) string {
	var labels []string
	for _, l := range m.GetLabel() {
		labels = append(labels, l.GetName()+`="`+labelEscaper.Replace(l.GetValue())+`"`)
	}
	if labels == nil {
		return ""
	}
	return "{" + strings.Join(labels, ",") + "}"
}
