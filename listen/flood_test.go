package listen_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	goruntime "runtime"
	"testing"

	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
)

// TestFlood opens ten thousand connections that send nothing, TLS junk or half a
// request, and of which three thousand stay open at the client. Those who ask
// meanwhile are answered, memory stays bounded, and no goroutine is left. It does not
// run in parallel, since it counts.
func TestFlood(t *testing.T) {
	cert, pool := tlstest.Certificate(t)
	before := goruntime.NumGoroutine()
	l, err := listen.Serve(bind(t), listen.Settings{
		Handler: answering("yes"), TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Log: quiet,
		Limits: listen.Limits{PeerConnections: 1000, PeerRate: 1e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	held := make([]net.Conn, 3000)
	for i := range 10_000 {
		c := dial(t, l)
		io.WriteString(c, []string{"", "\x16\x03\x01\x02", "GET / HT"}[i%3])
		if old := held[i%len(held)]; old != nil {
			old.Close()
		}
		held[i%len(held)] = c
		if i%1000 == 0 {
			if got, err := askOnce(t, l, pool); err != nil || got != "yes" {
				t.Errorf("after %d connections: %q, %v", i, got, err)
			}
		}
	}
	var memory goruntime.MemStats
	goruntime.GC()
	if goruntime.ReadMemStats(&memory); memory.HeapInuse+memory.StackInuse > 128<<20 {
		t.Errorf("%d MiB in use", (memory.HeapInuse+memory.StackInuse)>>20)
	}
	if during := goruntime.NumGoroutine(); during-before > 4*1000+10 {
		t.Errorf("%d goroutines", during-before)
	}
	l.Close(stopped())
	after := goruntime.NumGoroutine()
	for tries := 0; after > before && tries < 1_000_000; tries++ { // those of net/http that are on their last lines
		goruntime.Gosched()
		after = goruntime.NumGoroutine()
	}
	if after > before {
		t.Errorf("%d goroutines before and %d after", before, after)
	}
}

// askOnce asks over a connection of its own, without goroutines.
func askOnce(t *testing.T, l *listen.Listener, pool *x509.CertPool) (string, error) {
	t.Helper()
	c := tls.Client(dial(t, l), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}
