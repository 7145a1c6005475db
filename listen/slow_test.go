package listen_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/internal/pipes"
)

// A slow is what a client sends that never sends a whole request: one text each
// second, the last one again and again.
type slow struct {
	name  string
	sends []string
}

// slowRows are clients of any protocol.
var slowRows = []slow{
	{"nothing", nil},
	{"a byte at a time", []string{"G", "E", "T", " ", "/"}},
	{"headers without end", []string{"GET / HTTP/1.1\r\n", "A: b\r\n"}},
	{"junk without end", []string{"\x00"}},
}

// TestSlowClients sends requests that never become whole.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	cert, _ := tlstest.Certificate(t)
	hello := clientHello(t)
	for _, handler := range []listen.Handler{echo{}, answering("yes")} {
		for name, config := range map[string]*tls.Config{"TLS": {Certificates: []tls.Certificate{cert}}, "plain": nil} {
			for _, row := range append(slowRows, slow{"a slow ClientHello", strings.Split(hello, "")}) {
				t.Run(fmt.Sprintf("%T, %s, %s", handler, name, row.name), func(t *testing.T) {
					t.Parallel()
					inBubble(t, listen.Settings{Handler: handler, TLS: config}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
						if took := trickle(p.Dial(t, "192.0.2.1"), row.sends); took > 21*time.Second {
							t.Errorf("it was open for %s", took)
						}
					})
				})
			}
		}
	}
}

// trickle sends one text a second until the connection is closed, and tells how
// long that took.
func trickle(c net.Conn, texts []string) time.Duration {
	start := time.Now()
	closed := make(chan struct{})
	go func() { io.Copy(io.Discard, c); close(closed) }()
	for i := 0; ; i++ {
		select {
		case <-closed:
			return time.Since(start)
		case <-time.After(time.Second):
		}
		if len(texts) > 0 {
			io.WriteString(c, texts[min(i, len(texts)-1)])
		}
	}
}

// TestSilentHTTP2 shakes hands, and then sends no request of HTTP/2, or half of one.
func TestSilentHTTP2(t *testing.T) {
	t.Parallel()
	cert, _ := tlstest.Certificate(t)
	const preface, settings, headers = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x40\x00\x01\x00\x00\x00\x00\x01"
	for _, sends := range [][]string{nil, strings.Split(preface, ""), {preface, "", ""}, {preface, settings, ""}, {preface + settings + headers, "x"}} {
		inBubble(t, listen.Settings{Handler: answering("yes"), TLS: &tls.Config{Certificates: []tls.Certificate{cert}}}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
			c := tls.Client(p.Dial(t, "192.0.2.1"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			if took := trickle(c, sends); took > 3*time.Minute {
				t.Errorf("%q: it was open for %s", sends, took)
			}
		})
	}
}

// TestStreamWithoutWindow asks for answers by HTTP/2 and lets none of their bytes come.
func TestStreamWithoutWindow(t *testing.T) {
	t.Parallel()
	cert, _ := tlstest.Certificate(t)
	const noWindow = "\x00\x00\x06\x04\x00\x00\x00\x00\x00" + "\x00\x04\x00\x00\x00\x00"
	const get = "\x00\x00\x06\x01\x05\x00\x00\x00\x01" + "\x82\x87\x84\x41\x01x"
	for _, answer := range []string{"yes", strings.Repeat("yes", 10_000)} {
		inBubble(t, listen.Settings{Handler: answering(answer), TLS: &tls.Config{Certificates: []tls.Certificate{cert}}}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
			c := tls.Client(p.Dial(t, "192.0.2.1"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			if took := trickle(c, []string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + noWindow + get, ""}); took > 3*time.Minute {
				t.Errorf("%d bytes: it was open for %s", len(answer), took)
			}
		})
	}
}

// clientHello is what a client of TLS sends first.
func clientHello(t *testing.T) string {
	t.Helper()
	client, server := net.Pipe()
	go tls.Client(client, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context())
	hello := make([]byte, 100)
	if _, err := io.ReadFull(server, hello); err != nil {
		t.Fatal(err)
	}
	server.Close()
	return string(hello)
}

// TestIdle keeps a connection open after an answer.
func TestIdle(t *testing.T) {
	t.Parallel()
	inBubble(t, listen.Settings{Handler: answering("yes")}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
		c := p.Dial(t, "192.0.2.1")
		start := time.Now()
		go io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		answer, err := io.ReadAll(c)
		if took := time.Since(start); err != nil || !strings.HasSuffix(string(answer), "yes") || took != 2*time.Minute {
			t.Errorf("%q, %v; closed after %s", answer, err, took)
		}
	})
}

// TestUnreadAnswer asks for much and reads nothing of it.
func TestUnreadAnswer(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	handler := listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := w.Write(make([]byte, 1<<20))
		ended <- err
	})}
	inBubble(t, listen.Settings{Handler: handler}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
		ended = make(chan error, 1)
		c := p.Dial(t, "192.0.2.1")
		start := time.Now()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if err := <-ended; err == nil || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// TestSlowReader reads an answer so slowly that it takes longer than a piece of it
// may, but not so slowly that a piece does.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const size = 256 << 10
	handler := listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, size)) })}
	inBubble(t, listen.Settings{Handler: handler}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
		c := p.Dial(t, "192.0.2.1")
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		read, start := 0, time.Now()
		for b := make([]byte, 2<<10); ; time.Sleep(time.Second) {
			n, err := c.Read(b)
			if read += n; err != nil {
				break
			}
		}
		if took := time.Since(start); read < size || took < time.Minute {
			t.Errorf("%d bytes in %s", read, took)
		}
	})
}

// TestLongAnswer takes longer to answer than a request may take to arrive.
func TestLongAnswer(t *testing.T) {
	t.Parallel()
	handler := listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(time.Minute):
			io.WriteString(w, "done")
		case <-r.Context().Done():
		}
	})}
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"} {
		inBubble(t, listen.Settings{Handler: handler}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
			c := p.Dial(t, "192.0.2.1")
			io.WriteString(c, request)
			if answer, _ := io.ReadAll(c); !strings.HasSuffix(string(answer), "done") {
				t.Errorf("%.4s: %q", request, answer)
			}
		})
	}
}

// TestHTTPDeadlines sends requests of which one does not become whole.
func TestHTTPDeadlines(t *testing.T) {
	t.Parallel()
	handler := listen.HTTP{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })}
	for request, want := range map[string]time.Duration{
		"G":                                      10 * time.Second,
		"GET / HTTP/1.1\r\nHost: x\r\n":          10 * time.Second,
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":      2 * time.Minute,
		"GET / HTTP/1.1\r\nHost: x\r\n\r\nG":     2 * time.Minute,
		"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /": 10 * time.Second,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx": 10 * time.Second,
	} {
		inBubble(t, listen.Settings{Handler: handler}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
			c := p.Dial(t, "192.0.2.1")
			start := time.Now()
			go io.WriteString(c, request)
			io.Copy(io.Discard, c)
			if took := time.Since(start); took != want {
				t.Errorf("%q: open for %s, want %s", request, took, want)
			}
		})
	}
}
