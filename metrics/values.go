package metrics

import (
	"fmt"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Values are all figures as they are now, for who reads no format of Prometheus, by
// their names and labels: wasmagent_check_state{check="disk"}. Of histograms and
// summaries they are the sum and the count.
func (m *Metrics) Values() (map[string]float64, error) {
	families, err := m.Gather()
	all := map[string]float64{}
	for _, f := range families {
		for _, one := range f.Metric {
			for suffix, v := range values(one) {
				all[f.GetName()+suffix+labels(one.Label)] = v
			}
		}
	}
	return all, err
}

// values are the samples of a metric, by what follows its name.
func values(m *dto.Metric) map[string]float64 {
	switch {
	case m.Gauge != nil:
		return map[string]float64{"": m.Gauge.GetValue()}
	case m.Counter != nil:
		return map[string]float64{"": m.Counter.GetValue()}
	case m.Histogram != nil:
		return map[string]float64{"_sum": m.Histogram.GetSampleSum(), "_count": float64(m.Histogram.GetSampleCount())}
	case m.Summary != nil:
		return map[string]float64{"_sum": m.Summary.GetSampleSum(), "_count": float64(m.Summary.GetSampleCount())}
	}
	return nil
}

var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func labels(pairs []*dto.LabelPair) string {
	var list []string
	for _, p := range pairs {
		list = append(list, fmt.Sprintf(`%s="%s"`, p.GetName(), escaped.Replace(p.GetValue())))
	}
	if list == nil {
		return ""
	}
	return "{" + strings.Join(list, ",") + "}"
}
