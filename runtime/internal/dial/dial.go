// Package dial makes the connections that a guest may have.
//
// Parse reads what a guest opens below /dev; a Dialer connects. The guest chooses
// the host and the port and nothing else, and a Rule of the caller's decides about
// every address before anything is sent to it. A name is resolved once, and what
// was ruled on is what is dialled: a name server that changes its mind changes
// nothing. The system is handed addresses, never names, and the address that it
// gets is compared once more with the one that was allowed.
//
// "localhost" is 127.0.0.1 and ::1, whatever a name server says. Other names are
// looked up as the machine does it, with its search list and its hosts file.
//
// The servers and the name servers are hostile. At most MaxAddresses of a name are
// looked at, what a server is said to have done is cut and made printable, and the
// context ends whatever waits: a lookup, a connect, a handshake.
//
// A Dialer may be used by any number of goroutines.
package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// A Dialer connects. The zero Dialer has the system's roots and resolver.
type Dialer struct {
	// Roots are the authorities that vouch for TLS servers; nil is the system's.
	Roots *x509.CertPool
	// Resolver looks names up; nil is net.DefaultResolver.
	Resolver *net.Resolver
	// Own lists the addresses of the agent's own listeners, as net.Listener.Addr
	// gives them. It is called once for each connection. Nil is none.
	Own func() []net.Addr
}

// A Rule says why a guest may not connect to an address, or nil if it may. The
// address is neither IPv4 in IPv6 form nor has it a zone. own tells that one of the
// agent's own listeners answers there. A Rule is called for each address of a name,
// in the calling goroutine.
type Rule func(addr netip.AddrPort, own bool) error

// Dial connects. The connection is a *net.TCPConn, *tls.Conn or *net.UDPConn for
// TCP, TLS and UDP; the first two have CloseWrite, which closes one half. The context
// has no effect on it once Dial has returned.
//
// A TLS server has to speak TLS 1.2 or later, and its certificate to be valid for
// the target's host. No ALPN protocol and no certificate is offered to it.
//
// An error is one of this package's; it names the target, and every address that
// was not allowed or did not answer.
func (d Dialer) Dial(ctx context.Context, t Target, rule Rule) (net.Conn, error) {
	if t.Peer {
		return nil, fmt.Errorf("%v: is for reading about the server; connect to it without /peer", t)
	}
	conn, err := d.connect(ctx, t, rule)
	if err != nil || t.Network != TLS {
		return conn, err
	}
	secured := tls.Client(conn, &tls.Config{RootCAs: d.Roots, ServerName: t.Host, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, handshakeError(ctx, t, err)
	}
	return secured, nil
}

// connect opens what is below TLS.
func (d Dialer) connect(ctx context.Context, t Target, rule Rule) (net.Conn, error) {
	addrs, err := d.resolve(ctx, t)
	if err != nil {
		return nil, lookupError(ctx, t, err)
	}
	allowed, refused := d.rule(t, addrs, rule)
	if len(allowed) == 0 {
		return nil, notAllowed(t, refused)
	}
	conn, failed := race(ctx, allowed, func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		return open(ctx, t.Network, addr)
	})
	if conn == nil {
		return nil, connectError(ctx, t, failed, refused)
	}
	return conn, nil
}

// open connects to one address.
func open(ctx context.Context, network string, addr netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{ControlContext: only(addr)}
	if network == UDP {
		conn, err := dialer.DialUDP(ctx, "udp", netip.AddrPort{}, addr)
		if err != nil {
			return nil, err // conn is a nil that would not be a nil net.Conn
		}
		return conn, nil
	}
	conn, err := dialer.DialTCP(ctx, "tcp", netip.AddrPort{}, addr)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// only looks at the address right before the system is handed it.
func only(addr netip.AddrPort) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if address != addr.String() {
			return fmt.Errorf("%s was about to be dialled instead of %v", address, addr)
		}
		return nil
	}
}
