package otlp

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"golang.org/x/net/http/httpguts"
)

const (
	// defaultPath is where the specification has metrics.
	defaultPath = "/v1/metrics"
	// connectTime is the longest that each step of a connection takes.
	connectTime = 10 * time.Second
	// maxResponse is the most that is read of an answer, in bytes.
	maxResponse = 16 << 10
	// pushTime is the longest that a push takes. For retryTime it is tried again
	// if the collector puts it off, first after firstRetry.
	pushTime, retryTime, firstRetry = 30 * time.Second, 15 * time.Second, time.Second
)

// parseEndpoint checks a URL and fills in its path.
func parseEndpoint(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.Unwrap(err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "", errors.New("want a URL such as https://collector.example.com:4318/v1/metrics")
	case u.User != nil:
		return "", errors.New("it has credentials, which would be logged; put them into a header")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("it has a query or a fragment, which OTLP has no use for")
	}
	u.Path = cmp.Or(strings.TrimRight(u.Path, "/"), defaultPath)
	return u.String(), nil
}

// newClient is a client that speaks to the endpoint and to nobody else.
func newClient(cas *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: connectTime}).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: cas, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    connectTime,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        5 * time.Minute,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: maxResponse,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newSender says everything that an environment variable would say otherwise.
func newSender(c Config, client *http.Client) (*otlpmetrichttp.Exporter, error) {
	if err := checkHeaders(c.Headers); err != nil {
		return nil, err
	}
	return otlpmetrichttp.New(context.Background(),
		otlpmetrichttp.WithEndpointURL(c.Endpoint),
		otlpmetrichttp.WithTLSClientConfig(nil),
		otlpmetrichttp.WithHTTPClient(client),
		otlpmetrichttp.WithHeaders(c.Headers),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression),
		otlpmetrichttp.WithMaxResponseSize(maxResponse),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{
			Enabled:         true,
			InitialInterval: firstRetry,
			MaxInterval:     retryTime,
			MaxElapsedTime:  retryTime,
		}),
	)
}

// checkHeaders refuses headers that no request can have, without their values,
// which are secrets.
func checkHeaders(headers map[string]string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			errs = append(errs, fmt.Errorf("header %q: no name of a header", name))
		case !httpguts.ValidHeaderFieldValue(headers[name]):
			errs = append(errs, fmt.Errorf("header %s: its value has characters that no header may have, such as line ends", name))
		}
	}
	return errors.Join(errs...)
}
