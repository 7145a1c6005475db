package otlp_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"

	"github.com/wasmagent/wasmagent/metrics/otlp"
)

// TestFailures drives collectors that fail until they have been asked a few times.
func TestFailures(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirection was followed") }))
	t.Cleanup(elsewhere.Close)
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		logged string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such tenant", http.StatusForbidden) }, "no such tenant"},
		"busy": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "100000")
			http.Error(w, "later", http.StatusServiceUnavailable)
		}, "later"},
		"redirected": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "307"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"takes a part": {func(w http.ResponseWriter, _ *http.Request) {
			respond(w, &collector.ExportMetricsServiceResponse{PartialSuccess: &collector.ExportMetricsPartialSuccess{RejectedDataPoints: 2, ErrorMessage: "too old"}})
		}, "too old"},
		"talks too much": {func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("x"), 1<<20)) }, "exceed"},
		"talks nonsense": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			io.WriteString(w, "nonsense")
		}, "proto"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pushes, log := make(chan push), newLines()
			failing := make(chan bool, 1)
			failing <- true
			server := httptest.NewServer(collect(t, pushes, func(w http.ResponseWriter, r *http.Request) {
				fails := <-failing
				failing <- fails
				if fails {
					row.answer(w, r)
				}
			}))
			defer server.Close()
			registry, _ := counted()
			e := open(t, otlp.Config{Metrics: registry, Endpoint: server.URL, Interval: 4 * time.Millisecond, Log: log.logger()})
			for range 5 {
				wait(t, pushes)
			}
			if line := wait(t, log.one); !strings.Contains(line, "level=WARN") || !strings.Contains(line, row.logged) || !strings.Contains(line, server.URL) {
				t.Errorf("logged %s, want a warning of %q", line, row.logged)
			}
			<-failing
			failing <- false
			go drain(t, pushes)
			if line := wait(t, log.one); !strings.Contains(line, "metrics are pushed again") {
				t.Errorf("logged %s", line)
			}
			if err := e.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if n := strings.Count(log.all.String(), "\n"); n != 2 {
				t.Errorf("%d lines are logged, want 2:\n%s", n, log.all.String())
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	registry, _ := counted()
	log := newLines()
	e := open(t, otlp.Config{Metrics: registry, Endpoint: server.URL, Interval: time.Hour, Log: log.logger()})
	if line := wait(t, log.one); !strings.Contains(line, "metrics are not pushed") {
		t.Errorf("logged %s", line)
	}
	if err := e.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "the last push of metrics to "+server.URL) {
		t.Errorf("Close: %v", err)
	}
}

// A half gathers what it can.
type half struct{ prometheus.Gatherer }

func (h half) Gather() ([]*dto.MetricFamily, error) {
	families, err := h.Gatherer.Gather()
	return families, errors.Join(err, errors.New("half is missing"))
}

func TestWhatCouldBeGatheredIsPushed(t *testing.T) {
	t.Parallel()
	pushes, log := make(chan push, 10), newLines()
	server := httptest.NewServer(collect(t, pushes, nil))
	defer server.Close()
	registry, _ := counted()
	e := open(t, otlp.Config{Metrics: half{registry}, Endpoint: server.URL, Interval: time.Hour, Log: log.logger()})
	find(t, wait(t, pushes), "runs_total")
	if line := wait(t, log.one); !strings.Contains(line, "half is missing") {
		t.Errorf("logged %s", line)
	}
	if err := e.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "half is missing") {
		t.Errorf("Close: %v", err)
	}
}

// TestRetry drives a collector that puts off the first push.
func TestRetry(t *testing.T) {
	t.Parallel()
	pushes, log := make(chan push, 10), newLines()
	var first sync.Once
	server := httptest.NewServer(collect(t, pushes, func(w http.ResponseWriter, _ *http.Request) {
		first.Do(func() { w.WriteHeader(http.StatusServiceUnavailable) })
	}))
	defer server.Close()
	registry, _ := counted()
	e := open(t, otlp.Config{Metrics: registry, Endpoint: server.URL, Interval: time.Hour, Log: log.logger()})
	for range 2 {
		find(t, wait(t, pushes), "runs_total")
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := log.all.String(); got != "" {
		t.Errorf("logged %s", got)
	}
}
