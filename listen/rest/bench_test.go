package rest_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/rest"
)

const executePath = "/api/v2/queries/perf/commands/execute?warn=80%25&crit=90%25"

// BenchmarkExecute is what the API adds to a command, without the network.
func BenchmarkExecute(b *testing.B) {
	h := rest.New(newAgentry().Config)
	for name, authorize := range map[string]func(*http.Request){
		"password": func(r *http.Request) { r.SetBasicAuth("admin", "admin") },
		"token":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer admin-token") },
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), "GET", executePath, nil)
			authorize(r)
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkRequest is the same through a listener with TLS, on one connection that is
// kept open, the client's part of it included.
func BenchmarkRequest(b *testing.B) {
	certificate, pool := tlstest.Certificate(b)
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	l, err := listen.Serve(socket, listen.Settings{
		Handler: listen.HTTP{Handler: rest.New(newAgentry().Config)}, TLS: &tls.Config{Certificates: []tls.Certificate{certificate}},
		Limits: listen.Limits{PeerRate: 1e9}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close(context.Background()) })
	for name, http2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
		b.Run(name, func(b *testing.B) {
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: http2}
			defer transport.CloseIdleConnections()
			r, err := http.NewRequestWithContext(b.Context(), "GET", "https://"+l.Addr().String()+executePath, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer admin-token")
			b.ReportAllocs()
			for b.Loop() {
				if err := trip(transport, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// trip sends a request and reads the answer.
func trip(t *http.Transport, r *http.Request) error {
	answer, err := t.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
