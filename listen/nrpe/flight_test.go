package nrpe_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/listen"
)

// A recorder is a net.Listener of connections that record what is done with them.
type recorder struct {
	net.Listener
	conns chan *recorded
}

func (r recorder) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &recorded{TCPConn: c.(*net.TCPConn)}
	conn.changed.L = &conn.mu
	r.conns <- conn
	return conn, nil
}

// recorded is a connection that knows what was done last, and what it waits for.
type recorded struct {
	*net.TCPConn
	mu      sync.Mutex
	changed sync.Cond
	read    int  // bytes
	waits   bool // for more to read
	flights string
}

func (c *recorded) Read(p []byte) (int, error) {
	c.note(func() { c.waits = true })
	n, err := c.TCPConn.Read(p)
	c.note(func() { c.waits = false; c.read += n; c.flight('<') })
	return n, err
}

func (c *recorded) Write(p []byte) (int, error) {
	c.note(func() { c.flight('>') })
	return c.TCPConn.Write(p)
}

func (c *recorded) note(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	c.changed.Broadcast()
}

// flight adds a direction if it is not the one of the last flight.
func (c *recorded) flight(direction byte) {
	if c.flights == "" || c.flights[len(c.flights)-1] != direction {
		c.flights += string(direction)
	}
}

// settled waits until all that was sent has been read and more is waited for, and
// returns the flights until then.
func (c *recorded) settled(sent int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.waits || c.read < sent {
		c.changed.Wait()
	}
	return c.flights
}

// counted counts what is written to a connection.
type counted struct {
	net.Conn
	sent int
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent += n
	return n, err
}

// TestNoStall counts flights. A client that leaves Nagle's algorithm on, as check_nrpe
// does, sends its request when the end of its handshake was acknowledged; so the server
// has to send something after that end and before the request. Otherwise its system
// delays the acknowledgement by 40 ms.
func TestNoStall(t *testing.T) {
	t.Parallel()
	host, other := hostCertificate(t), hostCertificate(t)
	for name, config := range map[string]*tls.Config{
		"server only": {},
		"mutual":      {ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: host.pool},
		"no tickets":  {SessionTicketsDisabled: true},
		"optional":    {ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: other.pool},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config.Certificates = []tls.Certificate{host.Certificate}
			socket, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			conns := make(chan *recorded, 1)
			l, err := listen.Serve(recorder{socket, conns}, listen.Settings{Handler: handler(), TLS: config, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			wire := &counted{Conn: dial(t, l)}
			c := tls.Client(wire, &tls.Config{RootCAs: host.pool, ServerName: "127.0.0.1", ClientSessionCache: tls.NewLRUClientSessionCache(1), Certificates: clientCertificates(name, host)})
			if err := c.HandshakeContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			if flights := (<-conns).settled(wire.sent); !strings.HasPrefix(flights, "<><>") {
				t.Errorf("before the request the flights are %q: nothing acknowledges the client's second one", flights)
			}
			c.Write(packet(4, "check_ok"))
			if got, err := io.ReadAll(c); err != nil || parse(t, got).result != 0 {
				t.Errorf("%q, %v", got, err)
			}
			c.Close()
			if err := l.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func clientCertificates(name string, host certificate) []tls.Certificate {
	if name == "mutual" {
		return []tls.Certificate{host.Certificate}
	}
	return nil
}
