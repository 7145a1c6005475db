// Package pipes has a socket for tests whose connections are pipes. It works in a
// bubble of testing/synctest, in which time passes when everybody waits, and which
// fails a test that leaves a goroutine behind.
package pipes

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
)

// A Socket is a net.Listener that Dial connects to. It is safe for concurrent use.
type Socket struct {
	conns  chan net.Conn
	closed chan struct{}
}

// New returns a Socket, which belongs to the bubble that it is made in.
func New() Socket { return Socket{make(chan net.Conn), make(chan struct{})} }

// Dial connects as if from an address, and returns when the server waits.
func (s Socket) Dial(t *testing.T, from string) net.Conn {
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close() })
	s.conns <- peered{server, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 12345))}
	synctest.Wait()
	return client
}

// Accept waits for Dial.
func (s Socket) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. It may be called once.
func (s Socket) Close() error { close(s.closed); return nil }

// Addr is an address of the loopback.
func (s Socket) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5666} }

// peered is a connection from an address.
type peered struct {
	net.Conn
	from net.Addr
}

func (p peered) RemoteAddr() net.Addr { return p.from }
