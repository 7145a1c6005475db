package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// reloads count configurations, with the names of Prometheus' own metrics.
type reloads struct {
	total      *prometheus.CounterVec
	successful prometheus.Gauge
	last       prometheus.Gauge
}

func newReloads() *reloads {
	r := &reloads{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wasmagent_config_reloads_total",
			Help: "Configurations that were read, the first included, by their result: success or failure.",
		}, []string{"result"}),
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "wasmagent_config_last_reload_successful",
			Help: "Whether the last configuration that was read was taken.",
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "wasmagent_config_last_reload_success_timestamp_seconds",
			Help: "When a configuration was last taken.",
		}),
	}
	for _, result := range []string{"success", "failure"} {
		r.total.WithLabelValues(result)
	}
	return r
}

func (r *reloads) note(at time.Time, err error) {
	if err != nil {
		r.total.WithLabelValues("failure").Inc()
		r.successful.Set(0)
		return
	}
	r.total.WithLabelValues("success").Inc()
	r.successful.Set(1)
	r.last.Set(seconds(at))
}

// seconds is a time as Prometheus has it: seconds since 1970.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (r *reloads) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.total, r.successful, r.last}
}
