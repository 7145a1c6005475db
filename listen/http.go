package listen

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// HTTP serves HTTP/1.1 with connections that are kept open, and over TLS HTTP/2.
//
// A request is whole when its headers are, and its body has Limits.Request to
// arrive. A handler that expects more than that, from a peer that it trusts, sets
// another deadline with http.ResponseController.SetReadDeadline. A handler may take
// as long as it likes to answer.
type HTTP struct {
	// Handler serves the requests. It is required.
	Handler http.Handler
	// Refuse answers a request that is not served: reason is a Refusal, and status
	// the code for it. Nil answers with the reason as plain text.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, reason error)
	// MaxBody is the most bytes of a request's body that can be read (1 MiB).
	MaxBody int64
}

// Draining is closed when the listener closes that the context of a request comes
// from: an answer that does not end by itself should end then. It is nil of another
// context.
func Draining(ctx context.Context) <-chan struct{} {
	draining, _ := ctx.Value(drainingKey{}).(chan struct{})
	return draining
}

// drainingKey is the key of that channel.
type drainingKey struct{}

// Bounds of HTTP that no one has to change.
const (
	maxHeaderBytes  = 32 << 10
	maxStreams      = 64 // requests in flight of one HTTP/2 connection
	defaultMaxBody  = 1 << 20
	http2FrameBytes = 16 << 10
)

// TuneTLS offers the protocols.
func (h HTTP) TuneTLS(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }

// ServeConn serves the requests of one connection, each with the listener's handler
// of its time.
func (h HTTP) ServeConn(ctx context.Context, c *Conn) {
	closed := make(chan struct{})
	server := h.server(ctx, c, closed)
	server.Serve(&single{Conn: c.Conn})
	select {
	case <-closed:
		return
	case <-c.listener.draining:
	}
	ctx, cancel := context.WithCancel(ctx)
	var draining sync.WaitGroup
	draining.Go(func() { server.Shutdown(ctx) })
	<-closed
	cancel()
	draining.Wait()
}

// server is one for a connection; closed is closed when that is.
func (h HTTP) server(ctx context.Context, c *Conn, closed chan struct{}) *http.Server {
	limits := c.settings.Limits
	return &http.Server{
		Handler:           paceStreams(limits.Write, func(w http.ResponseWriter, r *http.Request) { h.now(c).serve(c, w, r) }),
		BaseContext:       func(net.Listener) context.Context { return context.WithValue(ctx, drainingKey{}, c.listener.draining) },
		ReadHeaderTimeout: limits.Request,
		ReadTimeout:       limits.Request,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReadFrameSize: http2FrameBytes},
		ErrorLog:          slog.NewLogLogger(c.settings.Log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				close(closed)
			}
		},
	}
}

// now is the handler of the listener's settings as they are.
func (h HTTP) now(c *Conn) HTTP {
	if now, ok := c.now().Handler.(HTTP); ok {
		return now
	}
	return h
}

func (h HTTP) serve(c *Conn, w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			c.settings.Log.Error("panic while answering", "method", r.Method, "path", r.URL.Path, "peer", c.Peer, "panic", p, "stack", string(debug.Stack()))
			panic(http.ErrAbortHandler)
		} else if p != nil {
			panic(p)
		}
	}()
	if c.now() != c.settings { // it should not be kept open
		w.Header().Set("Connection", "close")
	}
	end, err := c.Begin(r.Context())
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	defer end()
	h.bound(w, r)
	h.Handler.ServeHTTP(w, r)
}

// bound limits a request's body, and takes away its deadline once it has arrived:
// net/http would end the context of the request when it passes.
func (h HTTP) bound(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if r.Body == nil || r.Body == http.NoBody {
		control.SetReadDeadline(time.Time{})
		return
	}
	r.Body = body{http.MaxBytesReader(w, r.Body, cmp.Or(h.MaxBody, defaultMaxBody)), control}
}

// A body has no deadline once it has been read.
type body struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (h HTTP) refuse(w http.ResponseWriter, r *http.Request, reason error) {
	status := statusOf(reason)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Connection", "close")
	if h.Refuse != nil {
		h.Refuse(w, r, status, reason)
		return
	}
	http.Error(w, reason.Error(), status)
}

func statusOf(reason error) int {
	switch {
	case errors.Is(reason, ErrPlain):
		return http.StatusBadRequest
	case errors.Is(reason, ErrNotAllowed):
		return http.StatusForbidden
	case errors.Is(reason, ErrRate):
		return http.StatusTooManyRequests
	}
	return http.StatusServiceUnavailable
}

// A single is a net.Listener of one connection.
type single struct {
	net.Conn
	taken bool
}

// Accept returns the connection, and io.EOF from then on.
func (s *single) Accept() (net.Conn, error) {
	if s.taken {
		return nil, io.EOF
	}
	s.taken = true
	return s.Conn, nil
}

// Close leaves the connection open, which outlives the listener.
func (s *single) Close() error { return nil }

func (s *single) Addr() net.Addr { return s.LocalAddr() }
