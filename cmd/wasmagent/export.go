package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/metrics/otlp"
)

// exporter is what pushes the metrics as a configuration says; nil is nothing. The one
// that does so already goes on.
func (s *server) exporter(c config.Config) (*otlp.Exporter, error) {
	if c.OTLP.Endpoint == "" {
		return nil, nil
	}
	if s.taken != nil && s.taken.exporter != nil && reflect.DeepEqual(s.taken.setup.config.OTLP, c.OTLP) {
		return s.taken.exporter, nil
	}
	headers, err := texts(c.OTLP.Headers)
	if err != nil {
		return nil, prefix("otlp.headers", err)
	}
	host, _ := os.Hostname() // without one there is one name less
	e, err := otlp.Open(otlp.Config{
		Metrics:  s.metrics,
		Endpoint: string(c.OTLP.Endpoint),
		Headers:  headers,
		Interval: c.OTLP.Interval,
		CAs:      c.OTLP.CA.Pool(),
		Resource: map[string]string{"service.name": "wasmagent", "service.version": version(), "service.instance.id": host, "host.name": host},
		Log:      s.log,
	})
	return e, prefix("otlp", err)
}

// texts looks values up.
func texts(values config.Values) (map[string]string, error) {
	list := map[string]string{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, err := value(values[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		list[name] = string(text)
	}
	return list, errors.Join(errs...)
}

// lastPush is how long the last push of metrics may take.
const lastPush = 5 * time.Second

// closeExporter pushes for the last time, in the background.
func (s *server) closeExporter(e *otlp.Exporter) {
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), lastPush)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			s.log.Warn("metrics", "error", err)
		}
	})
}
