package listen_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/internal/tlstest"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/internal/pipes"
)

// inBubble runs a test with a listener of pipes that allows everybody.
func inBubble(t *testing.T, s listen.Settings, test func(t *testing.T, p pipes.Socket, l *listen.Listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := pipes.New()
		if s.Log == nil {
			s.Log = quiet
		}
		s.Allowed = func(context.Context, netip.Addr) bool { return true }
		l, err := listen.Serve(p, s)
		if err != nil {
			t.Fatal(err)
		}
		test(t, p, l)
		l.Close(stopped())
	})
}

// stuck answers nothing until its connection is taken away.
type stuck struct{}

func (stuck) ServeConn(ctx context.Context, c *listen.Conn) {
	readLine(c)
	end, err := c.Begin(ctx)
	if err != nil {
		io.WriteString(c, err.Error()+"\n")
		return
	}
	defer end()
	<-ctx.Done()
}

// alive tells whether a connection is open, which nothing comes from.
func alive(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(time.Nanosecond))
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// TestEviction opens one connection more than there may be.
func TestEviction(t *testing.T) {
	t.Parallel()
	var log logged
	inBubble(t, listen.Settings{Handler: echo{}, Limits: listen.Limits{Connections: 3}, Log: log.logger()}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
		var silent []net.Conn
		for range 3 {
			silent = append(silent, p.Dial(t, "192.0.2.1"))
			time.Sleep(time.Millisecond)
		}
		go io.WriteString(silent[0], "this is not a whole request") // nor does it help
		synctest.Wait()
		if got := ask(t, p.Dial(t, "192.0.2.2"), "hello"); got != "hello" {
			t.Errorf("the answer is %q", got)
		}
		if alive(silent[0]) || !alive(silent[1]) || !alive(silent[2]) {
			t.Error("it is not the connection that waited the longest which was closed")
		}
	})
	if !strings.Contains(log.String(), "closed to make room") {
		t.Errorf("the log says\n%s", &log)
	}
}

// TestEvictionOfOnePeer opens more connections than one peer may.
func TestEvictionOfOnePeer(t *testing.T) {
	t.Parallel()
	inBubble(t, listen.Settings{Handler: echo{}, Limits: listen.Limits{PeerConnections: 2}}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
		other := p.Dial(t, "2001:db8:1::1")
		first, second := p.Dial(t, "2001:db8::1"), p.Dial(t, "2001:db8::2")
		time.Sleep(time.Millisecond)
		if got := ask(t, p.Dial(t, "2001:db8::ffff:3"), "hello"); got != "hello" {
			t.Errorf("the answer is %q", got)
		}
		if !alive(other) || alive(first) == alive(second) {
			t.Error("it is not one of the peer's connections that was closed")
		}
	})
}

// TestNoRoom opens one connection more while all others are answered.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]listen.Limits{"of all": {Connections: 2}, "of the peer": {PeerConnections: 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, listen.Settings{Handler: stuck{}, Limits: limits}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
				for range 2 {
					io.WriteString(p.Dial(t, "192.0.2.1"), "x\n")
				}
				synctest.Wait()
				if late := p.Dial(t, "192.0.2.1"); alive(late) {
					t.Error("there is room for a third")
				}
			})
		})
	}
}

// TestRequestsInFlight begins as many requests as may be.
func TestRequestsInFlight(t *testing.T) {
	t.Parallel()
	for want, limits := range map[error]listen.Limits{listen.ErrBusy: {Requests: 2}, listen.ErrPeerBusy: {PeerRequests: 2}} {
		t.Run(want.Error(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, listen.Settings{Handler: stuck{}, Limits: limits}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
				for range 2 {
					io.WriteString(p.Dial(t, "192.0.2.1"), "x\n")
				}
				synctest.Wait()
				if got := ask(t, p.Dial(t, "192.0.2.1"), "x"); got != want.Error() {
					t.Errorf("the answer is %q", got)
				}
			})
		})
	}
}

// TestRate asks faster than a peer may, and slower.
func TestRate(t *testing.T) {
	t.Parallel()
	inBubble(t, listen.Settings{Handler: answering("yes"), Limits: listen.Limits{PeerRate: 2}}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
		ask := func(from string) string {
			c := p.Dial(t, from)
			defer c.Close()
			go io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			answer, _ := io.ReadAll(c)
			status, _, _ := strings.Cut(string(answer), "\r\n")
			return status
		}
		for i, want := range []string{"200 OK", "200 OK", "200 OK", "200 OK", "429 Too Many Requests", "429 Too Many Requests", "429 Too Many Requests", "429 Too Many Requests", "", ""} {
			if got := strings.TrimPrefix(ask("192.0.2.1"), "HTTP/1.1 "); got != want {
				t.Errorf("request %d: %q, want %q", i+1, got, want)
			}
		}
		if got := ask("192.0.2.2"); got != "HTTP/1.1 200 OK" {
			t.Errorf("another peer: %q", got)
		}
		for range 100 {
			time.Sleep(500 * time.Millisecond)
			if got := ask("192.0.2.1"); got != "HTTP/1.1 200 OK" {
				t.Errorf("at the rate: %q", got)
			}
		}
	})
}

// TestManyPeers has more peers than are remembered.
func TestManyPeers(t *testing.T) {
	t.Parallel()
	inBubble(t, listen.Settings{Handler: echo{}}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
		for i := range 5000 {
			c := p.Dial(t, fmt.Sprintf("10.0.%d.%d", i/256, i%256))
			if got := ask(t, c, "hello"); got != "hello" {
				t.Fatalf("peer %d: %q", i, got)
			}
			c.Close()
		}
	})
}

// TestJunk sends what is neither TLS nor a request.
func TestJunk(t *testing.T) {
	t.Parallel()
	cert, _ := tlstest.Certificate(t)
	for _, config := range []*tls.Config{{Certificates: []tls.Certificate{cert}}, nil} {
		for _, handler := range []listen.Handler{echo{}, answering("yes")} {
			for _, junk := range []string{
				"\x16", "\x16\x03\x01\xff\xff", "\x16\x03\x01\x00\x05hello", "\x16\x03\x01\x00\x00", "\x80\x2e\x01\x00\x02", "\x15\x03\x01\x00\x02\x02\x28",
				"\x17\x03\x03\x40\x00" + strings.Repeat("x", 1<<14), strings.Repeat("\xff", 1<<16), strings.Repeat("\n", 1<<16), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
			} {
				inBubble(t, listen.Settings{Handler: handler, TLS: config}, func(t *testing.T, p pipes.Socket, _ *listen.Listener) {
					c := p.Dial(t, "192.0.2.1")
					go io.Copy(io.Discard, c)
					io.WriteString(c, junk)
					c.Close()
				})
			}
		}
	}
}

// TestNotices has one address refused many times.
func TestNotices(t *testing.T) {
	t.Parallel()
	var log logged
	inBubble(t, listen.Settings{Handler: echo{}, Log: log.logger()}, func(t *testing.T, p pipes.Socket, l *listen.Listener) {
		l.Set(listen.Settings{Handler: echo{}, Log: log.logger(), Allowed: func(context.Context, netip.Addr) bool { return false }})
		for range 1000 {
			p.Dial(t, "192.0.2.1")
		}
		time.Sleep(time.Minute)
		p.Dial(t, "192.0.2.1")
		synctest.Wait()
	})
	if n := strings.Count(log.String(), "\n"); n != 21 || !strings.Contains(log.String(), "lines_left_out=980") {
		t.Errorf("%d lines:\n%s", n, &log)
	}
}

// A failing socket has errors before it has connections.
type failing struct {
	pipes.Socket
	errors int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.errors > 0 {
		f.errors--
		return nil, errors.New("too many open files")
	}
	return f.Socket.Accept()
}

// TestAcceptFails has a system that is out of descriptors for a while.
func TestAcceptFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pipes.New()
		var log logged
		l, err := listen.Serve(&failing{p, 100}, listen.Settings{Handler: echo{}, Log: log.logger(), Allowed: func(context.Context, netip.Addr) bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if got := ask(t, p.Dial(t, "192.0.2.1"), "hello"); got != "hello" {
			t.Errorf("the answer is %q", got)
		}
		if waited := time.Since(start); waited < 90*time.Second || waited > 100*time.Second || !strings.Contains(log.String(), "too many open files") {
			t.Errorf("it tried 100 times in %s; the log says\n%s", waited, &log)
		}
		l.Close(stopped())
	})
}
