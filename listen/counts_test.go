package listen_test

import (
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/netip"
	"testing"

	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	g := newGate()
	l := open(t, listen.Settings{Handler: g, Limits: listen.Limits{Requests: 1}})
	first := dial(t, l)
	io.WriteString(first, "x\n")
	<-g.began
	second := dial(t, l)
	ask(t, second, "x")
	second.Close()
	got := l.Counts()
	if got.Requests != 1 || got.Connections < 1 || got.Connections > 2 || got.Accepted != 2 || got.Served != 1 || !maps.Equal(got.Refused, map[string]uint64{"busy": 1}) {
		t.Errorf("one is in flight and one refused: %+v", got)
	}
	close(g.open)
	readLine(first)
	first.Close()
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := l.Counts(); got.Requests != 0 || got.Connections != 0 || got.Served != 1 {
		t.Errorf("all are answered: %+v", got)
	}
}

func TestRefusedCounts(t *testing.T) {
	t.Parallel()
	cert, _ := tlstest.Certificate(t)
	secured := &tls.Config{Certificates: []tls.Certificate{cert}}
	for _, row := range []struct {
		reason string
		s      listen.Settings
		asks   []string // a connection each
	}{
		{"host", listen.Settings{Allowed: func(context.Context, netip.Addr) bool { return false }}, []string{"x\n"}},
		{"rate", listen.Settings{Limits: listen.Limits{PeerRate: 0.5}}, []string{"x\n", "x\n"}},
		{"plain", listen.Settings{TLS: secured}, []string{"x\n"}},
		{"connection", listen.Settings{TLS: secured}, []string{"\x16\x03\x01\x00\x01x"}},
		{"connection", listen.Settings{}, []string{"\x16\x03\x01\x00\x01x"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			row.s.Handler = echo{}
			l := open(t, row.s)
			for _, text := range row.asks {
				c := dial(t, l)
				io.WriteString(c, text)
				c.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, c)
			}
			if got := l.Counts(); got.Refused[row.reason] != 1 || len(got.Refused) != 1 {
				t.Errorf("%+v, want one refused for %s", got, row.reason)
			}
		})
	}
}
