package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A Conn is one connection. Its methods may be called from several goroutines.
type Conn struct {
	// Conn is what is read and written: a *tls.Conn whose handshake is done, or the
	// connection itself. Each piece written has a deadline of its own.
	net.Conn
	// Peer is who is at the other end. An IPv4 address comes as such.
	Peer netip.Addr

	listener *Listener
	settings *Settings // those that the connection began with
	wire     *wire
	refusal  error // why no request of it is served
	entry    entry

	answering sync.WaitGroup // requests in flight; none is added once entry.gone
}

func newConn(l *Listener, s *Settings, socket net.Conn) *Conn {
	w := newWire(socket, s.Limits.Write)
	w.SetReadDeadline(time.Now().Add(s.Limits.Request))
	c := &Conn{Conn: w, Peer: addressOf(socket.RemoteAddr()), listener: l, settings: s, wire: w}
	c.entry.since = time.Now()
	return c
}

// addressOf is the IP address of a TCP address.
func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// now are the listener's settings as they are.
func (c *Conn) now() *Settings { return c.listener.settings.Load() }

// Begin says that a whole request arrived. If it may be served, end has to be called
// once it is answered. The error is a Refusal, which is the answer otherwise.
func (c *Conn) Begin(ctx context.Context) (end func(), err error) {
	defer func() { c.listener.counters.requested(err) }()
	if c.refusal != nil {
		return nil, c.refusal
	}
	s := c.now()
	if s != c.settings && !s.Allowed(ctx, c.Peer) {
		return nil, ErrNotAllowed
	}
	if err := c.listener.ledger.begin(c, s.Limits); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { c.listener.ledger.end(c) }), nil
}

// prepare makes the connection ready for its handler. The error is why it is not
// served.
func (c *Conn) prepare(ctx context.Context) error {
	if !c.settings.Allowed(ctx, c.Peer) {
		return ErrNotAllowed
	}
	if err := c.listener.ledger.admit(c); err != nil {
		return err
	}
	first, err := c.wire.first()
	if err != nil {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	const handshake = 0x16 // the record type of a ClientHello, RFC 8446, 5.1
	switch {
	case c.settings.TLS == nil && first == handshake:
		return errors.New("the client speaks TLS, and this port does not; set tls = true for it, or have the client ask without TLS (check_nrpe -n)")
	case c.settings.TLS == nil:
		return nil
	case first == handshake:
		return c.shakeHands(ctx)
	}
	c.refusal = ErrPlain
	c.listener.say(slog.LevelWarn, "the client does not speak TLS, and this port does; have it ask with TLS (https, check_nrpe without -n), or set tls = false", "peer", c.Peer)
	return nil
}

func (c *Conn) shakeHands(ctx context.Context) error {
	secured := tls.Server(c.wire, c.settings.TLS)
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w%s", err, hint(err))
	}
	c.Conn = secured
	return nil
}

// lingering is how long a connection is read from after its last answer. Closing one
// that has something left to read would take back the answer (RFC 9112, 9.6), and
// check_nrpe, which still writes, would die without a word.
const (
	lingering   = time.Second
	lingerBytes = 1 << 20
)

// finish ends a connection so that the last answer arrives.
func (c *Conn) finish() {
	if secured, ok := c.Conn.(*tls.Conn); ok {
		secured.CloseWrite()
	}
	if c.wire.CloseWrite() == nil {
		c.wire.SetReadDeadline(time.Now().Add(lingering))
		io.CopyN(io.Discard, c.wire, lingerBytes)
	}
}

// hint says what to do about an error of a handshake, if that is known.
func hint(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "no cipher suite supported"):
		return "; a client that offers nothing but anonymous suites, as check_nrpe before 3.0 does, can only be served without TLS"
	case strings.Contains(text, "unsupported versions"):
		return "; the client needs TLS 1.2 at least"
	case strings.Contains(text, "unknown authority"):
		return "; client_ca in config.toml has the authorities"
	case strings.Contains(text, "didn't provide a certificate"):
		return "; it needs one that client_ca has signed (check_nrpe -C and -K)"
	}
	return ""
}
