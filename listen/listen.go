// Package listen is a network listener whose peers are hostile: it serves a
// socket, and hands each connection that may be served to a Handler, which
// speaks a protocol and knows nothing of the rest.
//
// Guarantees:
//
//   - Connections, requests in flight, and both of one peer with its rate, are
//     bounded. Whoever is over a bound hears so at once (Conn.Begin); where
//     there is no room to say it, the connection that has waited the longest
//     without sending a whole request makes room.
//   - Every step has a deadline, from the connection's first moment on: TLS and
//     the first request together, what an answer takes to be read, and how long
//     a connection is kept open.
//   - Settings change while the listener serves. The socket stays, requests that
//     were begun are answered, and no request fails because of it.
//   - TLS is 1.2 at least. A peer that speaks TLS where there is none, or the other
//     way round, is told if its protocol can, and the log says what to do.
//   - Once Close has returned, nothing that the listener started is running.
//
// A Listener is safe for concurrent use.
package listen

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmagent/wasmagent/internal/rate"
)

// A Handler serves one connection of a peer that is allowed to ask, and returns
// when it is over; the listener closes it. The read deadline of the connection is
// that of its first request. ctx ends when the connection is taken away.
//
// A Handler that needs something of TLS also has a method TuneTLS(*tls.Config),
// which is called with a copy of the configuration that it may change.
type Handler interface {
	ServeConn(ctx context.Context, c *Conn)
}

// Settings are what can change about a listener while it serves. Zeros are the
// defaults.
type Settings struct {
	// Handler serves the connections. It is required.
	Handler Handler
	// TLS is the configuration of a server; nil serves without TLS. It asks for a
	// client's certificate by itself (ClientAuth, ClientCAs), and has no
	// GetConfigForClient.
	TLS *tls.Config
	// Allowed tells whether an address may ask. IPv4 addresses come as such. Nil
	// allows the machine itself: 127.0.0.0/8 and ::1.
	Allowed func(ctx context.Context, peer netip.Addr) bool
	// Limits bound the listener.
	Limits Limits
	// Log hears of peers that were turned away, in a bounded number of lines. Nil
	// is slog.Default.
	Log *slog.Logger
}

// A Listener is one bound address.
type Listener struct {
	socket   net.Listener
	settings atomic.Pointer[Settings]
	ledger   ledger
	counters counters
	notices  rate.Notices
	draining chan struct{}
	close    func() // closes draining, once
	ctx      context.Context
	cut      context.CancelFunc
	running  sync.WaitGroup
}

// Serve serves a TCP socket that is bound already, which the listener closes, unless
// there is an error.
func Serve(socket net.Listener, s Settings) (*Listener, error) {
	if err := s.complete(); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", socket.Addr(), err)
	}
	l := &Listener{socket: socket, draining: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.draining) })
	l.ctx, l.cut = context.WithCancel(context.Background())
	l.settings.Store(&s)
	l.running.Go(l.accept)
	return l, nil
}

// Addr is the address that is bound, with its port.
func (l *Listener) Addr() net.Addr { return l.socket.Addr() }

// Set replaces the settings for all that comes from now on. Requests in flight end
// as they began. A connection that is kept open serves its next request with the
// new settings, as far as they are not about its TLS, and is closed after that. An
// error leaves the old settings.
func (l *Listener) Set(s Settings) error {
	if err := s.complete(); err != nil {
		return fmt.Errorf("listen on %s: %w", l.Addr(), err)
	}
	l.settings.Store(&s)
	return nil
}

// Close stops to listen, and waits for the connections to end: one that is kept
// open ends at once, another one when it is answered or its deadline has passed. When
// ctx ends, the rest is cut off, which is the error.
func (l *Listener) Close(ctx context.Context) error {
	l.close()
	l.socket.Close()
	ended := make(chan struct{})
	go func() { l.running.Wait(); close(ended) }()
	select {
	case <-ended:
		l.cut()
		return nil
	case <-ctx.Done():
	}
	open := l.ledger.cutAll()
	l.cut()
	<-ended
	if open == 0 {
		return nil
	}
	return fmt.Errorf("listener %s: %d connections were cut off: %w", l.Addr(), open, context.Cause(ctx))
}

// complete fills in the defaults and adapts the TLS configuration.
func (s *Settings) complete() error {
	if s.Handler == nil {
		return errors.New("no handler")
	}
	s.Log = cmp.Or(s.Log, slog.Default())
	s.Limits = s.Limits.withDefaults()
	if s.Allowed == nil {
		s.Allowed = func(_ context.Context, peer netip.Addr) bool { return peer.IsLoopback() }
	}
	if s.TLS == nil {
		return nil
	}
	if s.TLS.GetConfigForClient != nil {
		return errors.New("the TLS configuration has GetConfigForClient, which nothing here could adapt; use GetCertificate")
	}
	s.TLS = s.TLS.Clone()
	s.TLS.MinVersion = max(s.TLS.MinVersion, tls.VersionTLS12)
	if h, ok := s.Handler.(interface{ TuneTLS(*tls.Config) }); ok {
		h.TuneTLS(s.TLS)
	}
	return nil
}

// accept takes connections until the socket is closed.
func (l *Listener) accept() {
	for pause := time.Duration(0); ; {
		socket, err := l.socket.Accept()
		switch {
		case err == nil:
			pause = 0
			l.welcome(socket)
		case errors.Is(err, net.ErrClosed):
			return
		default: // out of descriptors, most often
			l.say(slog.LevelError, "cannot accept a connection", "error", err)
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(pause):
			case <-l.draining:
			}
		}
	}
}

// welcome starts to serve a connection if there is room for it.
func (l *Listener) welcome(socket net.Conn) {
	s := l.settings.Load()
	c := newConn(l, s, socket)
	l.counters.accepted()
	if !l.ledger.add(c) {
		l.counters.refused(ErrBusy)
		l.say(slog.LevelWarn, "connection refused", "peer", c.Peer, "reason", "as many connections are open as may be, and a request is in flight on each")
		socket.Close()
		return
	}
	l.running.Go(func() { l.serve(c) })
}

// serve is the life of a connection.
func (l *Listener) serve(c *Conn) {
	ctx, cancel := context.WithCancel(l.ctx)
	defer c.answering.Wait() // streams of HTTP/2 may outlive their connection
	defer cancel()
	defer l.leave(c)
	defer c.wire.Close()
	defer func() {
		if r := recover(); r != nil {
			c.settings.Log.Error("panic while serving a connection", "address", l.Addr(), "peer", c.Peer, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	if err := c.prepare(ctx); err != nil {
		l.counters.refused(err)
		l.say(levelOf(err), "connection refused", "peer", c.Peer, "reason", err)
	} else {
		c.settings.Handler.ServeConn(ctx, c)
	}
	c.finish()
}

// leave is the end of a connection.
func (l *Listener) leave(c *Conn) {
	if !l.ledger.remove(c) {
		l.say(slog.LevelWarn, "connection closed to make room for another one: it had waited the longest without a request", "peer", c.Peer)
	}
}

// levelOf is less for peers that came and went, as port scanners and probes of
// TCP do.
func levelOf(err error) slog.Level {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// say logs a line that peers cause, unless there were many.
func (l *Listener) say(level slog.Level, message string, attrs ...any) {
	l.notices.Log(l.ctx, l.settings.Load().Log, level, message, append(attrs, "address", l.Addr())...)
}
