package nrpe_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/nrpe"
)

// BenchmarkRequest is a request for a command that does nothing, on a connection of its
// own, the client's part of it included: without TLS, with TLS as check_nrpe speaks it,
// and with a session that is resumed, which it never does.
func BenchmarkRequest(b *testing.B) {
	certificate, pool := tlstest.Certificate(b)
	server := &tls.Config{Certificates: []tls.Certificate{certificate}}
	client := func(sessions tls.ClientSessionCache) *tls.Config {
		return &tls.Config{RootCAs: pool, CurvePreferences: []tls.CurveID{tls.X25519}, ServerName: "127.0.0.1", ClientSessionCache: sessions}
	}
	for _, row := range []struct {
		name           string
		server, client *tls.Config
	}{
		{"plain", nil, nil},
		{"TLS", server, client(nil)},
		{"resumed", server, client(tls.NewLRUClientSessionCache(1))},
	} {
		b.Run(row.name, func(b *testing.B) {
			l := serve(b, row.server)
			b.ReportAllocs()
			for b.Loop() {
				if err := request(l.Addr().String(), row.client); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// serve answers one command for a peer that may ask as often as it likes.
func serve(b *testing.B, c *tls.Config) *listen.Listener {
	b.Helper()
	runner := check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
		return check.Result{State: check.StateOK, Text: "fine"}, nil
	})
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	l, err := listen.Serve(socket, listen.Settings{
		Handler: nrpe.Handler{Runner: runner, Commands: access.Commands{"*"}}, TLS: c,
		Limits: listen.Limits{PeerRate: 1e9}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close(context.Background()) })
	return l
}

// request asks once, and reads until the connection ends.
func request(address string, c *tls.Config) error {
	socket, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer socket.Close()
	if c != nil {
		socket = tls.Client(socket, c)
	}
	if _, err := socket.Write(packet(4, "check_ok")); err != nil {
		return err
	}
	_, err = io.ReadAll(socket)
	return err
}
