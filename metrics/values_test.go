package metrics_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/metrics"
)

// TestValues holds them against the text that Prometheus reads.
func TestValues(t *testing.T) {
	t.Parallel()
	m := metrics.New(figures())
	m.Observe(ran(1, "x", check.StateOK, 1500*time.Millisecond))
	values, err := m.Values()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, line := range series(t, m, "wasmagent_") {
		at := strings.LastIndexByte(line, ' ')
		v, ok := values[line[:at]]
		switch {
		case strings.HasPrefix(line, "wasmagent_run_duration_seconds_bucket"):
		case !ok:
			t.Errorf("there is no %s", line[:at])
		default:
			found++
			if want, err := strconv.ParseFloat(line[at+1:], 64); err != nil || v != want {
				t.Errorf("%s is %v", line, v)
			}
		}
	}
	for _, name := range []string{"go_goroutines", "go_gc_duration_seconds_count"} {
		if _, ok := values[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
	for name := range values {
		if strings.HasPrefix(name, "wasmagent_") {
			found--
		}
	}
	if found != 0 {
		t.Errorf("%d values are too many", -found)
	}
}
