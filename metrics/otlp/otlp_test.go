package otlp_test

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	proto "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	protobuf "google.golang.org/protobuf/proto"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/metrics"
	"github.com/wasmagent/wasmagent/metrics/otlp"
)

// A push is one request to a collector, decoded.
type push struct {
	header  http.Header
	path    string
	content *collector.ExportMetricsServiceRequest
}

// collect is the handler of a collector: it decodes pushes, offers them to the
// channel, and answers as answer does; nil answers that all is well.
func collect(t *testing.T, pushes chan<- push, answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := push{r.Header, r.URL.Path, &collector.ExportMetricsServiceRequest{}}
		if err := decode(r, p.content); err != nil {
			t.Error(err)
		}
		select {
		case pushes <- p:
		case <-t.Context().Done():
		}
		if answer != nil {
			answer(w, r)
			return
		}
		respond(w, &collector.ExportMetricsServiceResponse{})
	})
}

func decode(r *http.Request, to protobuf.Message) error {
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(unzipped)
	if err != nil {
		return err
	}
	return protobuf.Unmarshal(body, to)
}

func respond(w http.ResponseWriter, m protobuf.Message) {
	body, _ := protobuf.Marshal(m) // one that was made here
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.Write(body)
}

// lines is a log that can be waited for.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
	one chan string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.one <- string(line)
	return l.all.Write(line)
}

func newLines() *lines { return &lines{one: make(chan string, 1000)} }

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// wait is the next of what a channel gives.
func wait[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-t.Context().Done():
		t.Fatal("nothing came")
	}
	return v
}

// drain takes what comes until the test ends.
func drain(t *testing.T, pushes <-chan push) {
	for {
		select {
		case <-pushes:
		case <-t.Context().Done():
			return
		}
	}
}

func open(t *testing.T, c otlp.Config) *otlp.Exporter {
	t.Helper()
	e, err := otlp.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// counted is a registry with a counter that is at 7, a gauge and a histogram.
func counted() (*prometheus.Registry, prometheus.Counter) {
	r := prometheus.NewRegistry()
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "runs_total", Help: "Runs."}, []string{"state"})
	free := prometheus.NewGauge(prometheus.GaugeOpts{Name: "free_bytes"})
	took := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took_seconds", Buckets: []float64{1, 2}})
	r.MustRegister(runs, free, took)
	runs.WithLabelValues("ok").Add(7)
	free.Set(1.5)
	for _, v := range []float64{.5, 1.5, 1.6, 9} {
		took.Observe(v)
	}
	return r, runs.WithLabelValues("ok")
}

func find(t *testing.T, p push, name string) *proto.Metric {
	t.Helper()
	for _, r := range p.content.ResourceMetrics {
		for _, s := range r.ScopeMetrics {
			for _, m := range s.Metrics {
				if m.Name == name {
					return m
				}
			}
		}
	}
	t.Fatalf("there is no %s in %s", name, protojson.Format(p.content))
	return nil
}

func TestPush(t *testing.T) {
	t.Parallel()
	pushes := make(chan push)
	server := httptest.NewTLSServer(collect(t, pushes, nil))
	defer server.Close()
	cas := x509.NewCertPool()
	cas.AddCert(server.Certificate())
	registry, runs := counted()
	e := open(t, otlp.Config{
		Metrics:  registry,
		Endpoint: server.URL,
		Headers:  map[string]string{"Authorization": "Bearer secret", "X-Tenant": "a"},
		Interval: 10 * time.Millisecond,
		CAs:      cas,
		Resource: map[string]string{"service.name": "wasmagent", "host.name": "web1"},
		Log:      newLines().logger(),
	})
	p := wait(t, pushes)
	if p.path != "/v1/metrics" || p.header.Get("Authorization") != "Bearer secret" || p.header.Get("X-Tenant") != "a" {
		t.Errorf("%s, headers %v", p.path, p.header)
	}
	resource := map[string]string{}
	for _, a := range p.content.ResourceMetrics[0].Resource.Attributes {
		resource[a.Key] = a.Value.GetStringValue()
	}
	if len(resource) != 2 || resource["service.name"] != "wasmagent" || resource["host.name"] != "web1" {
		t.Errorf("resource %v", resource)
	}
	sum := find(t, p, "runs_total").GetSum()
	if got := sum.GetDataPoints()[0]; !sum.IsMonotonic || sum.AggregationTemporality != proto.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE ||
		got.GetAsDouble() != 7 || got.Attributes[0].Key != "state" || got.Attributes[0].Value.GetStringValue() != "ok" {
		t.Errorf("runs_total is %v", sum)
	}
	if got := find(t, p, "free_bytes").GetGauge().GetDataPoints()[0].GetAsDouble(); got != 1.5 {
		t.Errorf("free_bytes is %v", got)
	}
	took := find(t, p, "took_seconds").GetHistogram().GetDataPoints()[0]
	if took.Count != 4 || took.GetSum() != 12.6 || len(took.BucketCounts) != 3 || took.BucketCounts[1] != 2 {
		t.Errorf("took_seconds is %v", took)
	}

	runs.Add(3)
	for find(t, wait(t, pushes), "runs_total").GetSum().DataPoints[0].GetAsDouble() != 10 {
	}
	go drain(t, pushes)
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAgent pushes what an agent has, with a label that no plugin should print.
func TestAgent(t *testing.T) {
	t.Parallel()
	pushes := make(chan push, 10)
	server := httptest.NewServer(collect(t, pushes, nil))
	defer server.Close()
	m := metrics.New(metrics.Config{Version: "v1.2.3", Checks: func() []check.Event {
		return []check.Event{{
			Result:   check.Result{State: check.StateWarning, Perf: []check.Perf{{Label: "a\xff\x00", Value: 1500, Unit: "ms"}, {Label: "n", Value: 7, Unit: "c"}}},
			Standing: &check.Standing{Check: "disk"},
		}}
	}})
	m.Observe(check.Event{Number: 1, Module: "web", Request: check.Request{Command: "check_page", Origin: check.NRPE}})
	e := open(t, otlp.Config{Metrics: m, Endpoint: server.URL, Interval: time.Hour})
	p := wait(t, pushes)
	took := find(t, p, "wasmagent_check_perf_seconds").GetGauge().GetDataPoints()[0]
	if got := took.Attributes; took.GetAsDouble() != 1.5 || got[0].Value.GetStringValue() != "disk" || got[1].Value.GetStringValue() != "a\uFFFD\x00" {
		t.Errorf("wasmagent_check_perf_seconds is %v", took)
	}
	if got := find(t, p, "wasmagent_check_perf_total").GetSum(); !got.GetIsMonotonic() || got.DataPoints[0].GetAsDouble() != 7 {
		t.Errorf("wasmagent_check_perf_total is %v", got)
	}
	if got := find(t, p, "wasmagent_run_duration_seconds").GetHistogram().GetDataPoints()[0]; got.Count != 1 || len(got.ExplicitBounds) != 16 {
		t.Errorf("wasmagent_run_duration_seconds is %v", got)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCloseFlushes(t *testing.T) {
	t.Parallel()
	pushes := make(chan push, 10)
	server := httptest.NewServer(collect(t, pushes, nil))
	defer server.Close()
	registry, runs := counted()
	e := open(t, otlp.Config{Metrics: registry, Endpoint: server.URL + "/otlp/v1/metrics/", Interval: time.Hour})
	if p := wait(t, pushes); p.path != "/otlp/v1/metrics" {
		t.Errorf("path %s", p.path)
	}
	runs.Inc()
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := find(t, wait(t, pushes), "runs_total").GetSum().DataPoints[0].GetAsDouble(); got != 8 {
		t.Errorf("the last push says %v, want 8", got)
	}
}

func TestCloseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	pushes, end := make(chan push), make(chan struct{})
	server := httptest.NewServer(collect(t, pushes, func(http.ResponseWriter, *http.Request) { <-end }))
	defer server.Close()
	defer close(end)
	registry, _ := counted()
	e := open(t, otlp.Config{Metrics: registry, Endpoint: server.URL, Interval: time.Hour})
	wait(t, pushes) // and hangs; so does the last one
	ctx, cancel := context.WithCancelCause(t.Context())
	timeIsUp := errors.New("time is up")
	go func() {
		select {
		case <-pushes:
		case <-t.Context().Done():
		}
		cancel(timeIsUp)
	}()
	if err := e.Close(ctx); !errors.Is(err, timeIsUp) {
		t.Errorf("Close: %v", err)
	}
}

func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"":                           `OTLP endpoint "": want a URL such as`,
		"collector:4318":             "want a URL such as https://collector.example.com:4318/v1/metrics",
		"ftp://collector":            "want a URL such as",
		"https://:4318":              "want a URL such as",
		"https://a:b@collector":      "put them into a header",
		"https://collector/?token=x": "a query or a fragment",
		"http://[::1":                "missing ']' in host",
		"https://collector:port":     "invalid port",
		"https://collector/\x7f":     "invalid control character",
	} {
		e, err := otlp.Open(otlp.Config{Metrics: prometheus.NewRegistry(), Endpoint: endpoint})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", endpoint, err, want)
		}
		if e != nil {
			e.Close(t.Context())
		}
	}
	_, err := otlp.Open(otlp.Config{Metrics: prometheus.NewRegistry(), Endpoint: "http://127.0.0.1:1", Headers: map[string]string{"A B": "1", "X-Token": "sec\nret"}})
	if err == nil || !strings.Contains(err.Error(), `header "A B": no name of a header`) ||
		!strings.Contains(err.Error(), "header X-Token: its value has characters") || strings.Contains(err.Error(), "ret\"") {
		t.Errorf("headers: %v", err)
	}
}

// TestEnvironment says otherwise in every variable of OpenTelemetry.
func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://127.0.0.1:1/x",
		"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=b", "OTEL_EXPORTER_OTLP_METRICS_INSECURE": "false",
		"OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
		"OTEL_RESOURCE_ATTRIBUTES": "service.name=x", "OTEL_SERVICE_NAME": "y", "OTEL_SDK_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	pushes := make(chan push, 10)
	server := httptest.NewServer(collect(t, pushes, nil))
	defer server.Close()
	registry, _ := counted()
	e := open(t, otlp.Config{Metrics: registry, Endpoint: server.URL, Interval: time.Hour, Resource: map[string]string{"service.name": "wasmagent"}})
	p := wait(t, pushes)
	if got := p.header.Get("X-Tenant"); got != "" {
		t.Errorf("X-Tenant: %s", got)
	}
	if got := p.content.ResourceMetrics[0].Resource.Attributes; len(got) != 1 || got[0].Value.GetStringValue() != "wasmagent" {
		t.Errorf("resource %v", got)
	}
	if got := find(t, p, "runs_total").GetSum().AggregationTemporality; got != proto.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
		t.Errorf("temporality %v", got)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
