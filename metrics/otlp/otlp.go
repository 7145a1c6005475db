// Package otlp pushes metrics to a collector by OTLP over HTTP, in protobuf:
// https://opentelemetry.io/docs/specs/otlp/#otlphttp. They are those of a
// prometheus.Gatherer, with the same names and labels.
//
// Guarantees:
//
//   - Counters are cumulative, so that a push that failed loses nothing: the next
//     one says all of it. Nothing is queued, whatever the collector does.
//   - One push goes at a time. It is tried again while the collector says that it
//     is too busy, for 15 seconds at most, and ends after 30.
//   - A collector that fails is logged once, and once more when it works again.
//   - Headers go to the endpoint alone: a redirection is an error.
//   - Nothing of OpenTelemetry is global, and of its environment variables none
//     has a say in where metrics go.
//
// An Exporter is safe for concurrent use.
package otlp

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// DefaultInterval is the time between two pushes if a Config says nothing.
const DefaultInterval = time.Minute

// Config says what is pushed, and where to. Every field is needed that does not
// say otherwise.
type Config struct {
	// Metrics are what is pushed.
	Metrics prometheus.Gatherer
	// Endpoint is a URL with the scheme http or https, such as
	// "https://collector.example.com:4318/v1/metrics"; the path is /v1/metrics
	// if there is none.
	Endpoint string
	// Headers go with every push. Nil is none.
	Headers map[string]string
	// Interval is the time between two pushes; zero is DefaultInterval.
	Interval time.Duration
	// CAs vouch for the collector. Nil are those of the system.
	CAs *x509.CertPool
	// Resource says what the metrics are of: service.name, service.version,
	// host.name and the like.
	Resource map[string]string
	// Log hears of failures. Nil is slog.Default.
	Log *slog.Logger
}

// An Exporter pushes metrics until it is closed.
type Exporter struct {
	config   Config
	figures  *figures
	producer metric.Producer
	resource *resource.Resource
	client   *http.Client
	sender   *otlpmetrichttp.Exporter
	stop     context.CancelFunc
	stopped  chan struct{}
}

// Open begins to push. An error says what is wrong with the Config; whether the
// collector is there is another question, which the log answers.
func Open(c Config) (*Exporter, error) {
	c.Interval = cmp.Or(max(c.Interval, 0), DefaultInterval)
	c.Log = cmp.Or(c.Log, slog.Default())
	endpoint, err := parseEndpoint(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("OTLP endpoint %q: %w", c.Endpoint, err)
	}
	c.Endpoint = endpoint
	ctx, stop := context.WithCancel(context.Background())
	f := &figures{Gatherer: c.Metrics}
	e := &Exporter{
		config:   c,
		figures:  f,
		producer: bridge.NewMetricProducer(bridge.WithGatherer(f)),
		resource: resource.NewSchemaless(attributes(c.Resource)...),
		client:   newClient(c.CAs),
		stop:     stop,
		stopped:  make(chan struct{}),
	}
	if e.sender, err = newSender(c, e.client); err != nil {
		stop()
		return nil, fmt.Errorf("OTLP endpoint %s: %w", c.Endpoint, err)
	}
	go e.run(ctx)
	return e, nil
}

func attributes(names map[string]string) []attribute.KeyValue {
	var list []attribute.KeyValue
	for name, value := range names {
		list = append(list, attribute.String(name, value))
	}
	return list
}

// run pushes at once and then at every interval, until ctx ends.
func (e *Exporter) run(ctx context.Context) {
	defer close(e.stopped)
	tick := time.NewTicker(e.config.Interval)
	defer tick.Stop()
	for failed := false; ctx.Err() == nil; {
		err := e.push(ctx)
		if ctx.Err() == nil {
			e.tell(failed, err)
		}
		failed = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// tell logs what has changed since the last push.
func (e *Exporter) tell(failed bool, err error) {
	switch {
	case err != nil && !failed:
		e.config.Log.Warn("metrics are not pushed; trying again at every interval", "endpoint", e.config.Endpoint, "error", err)
	case err == nil && failed:
		e.config.Log.Info("metrics are pushed again", "endpoint", e.config.Endpoint)
	}
}

// push sends the metrics as they are now.
func (e *Exporter) push(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pushTime, fmt.Errorf("stopped after %v", pushTime))
	defer cancel()
	scopes, err := e.producer.Produce(ctx)
	return errors.Join(err, e.figures.err, e.sender.Export(ctx, &metricdata.ResourceMetrics{Resource: e.resource, ScopeMetrics: scopes}))
}

// Close pushes for the last time, within ctx, and ends. It is called once.
func (e *Exporter) Close(ctx context.Context) error {
	e.stop()
	<-e.stopped
	defer e.client.CloseIdleConnections()
	if err := e.push(ctx); err != nil {
		return fmt.Errorf("the last push of metrics to %s: %w", e.config.Endpoint, err)
	}
	return e.sender.Shutdown(ctx)
}

// figures remember what was wrong with the last gathering, which the bridge would
// tell a global handler. What was gathered nevertheless is pushed.
type figures struct {
	prometheus.Gatherer
	err error
}

// Gather gathers without an error.
func (f *figures) Gather() (families []*dto.MetricFamily, _ error) {
	families, f.err = f.Gatherer.Gather()
	return families, nil
}
