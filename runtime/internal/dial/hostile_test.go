package dial_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// attack dials a hostile server with TLS, and asks about it.
func attack(t *testing.T, handle func(cancel func(), conn net.Conn), want error, words ...string) {
	t.Helper()
	for name, call := range map[string]func(context.Context, dial.Target) error{
		"Dial": func(ctx context.Context, where dial.Target) error {
			conn, err := dial.Dialer{}.Dial(ctx, where, anywhere)
			if err == nil {
				conn.Close()
			}
			return err
		},
		"Peer": func(ctx context.Context, where dial.Target) error {
			where.Peer = true
			_, err := dial.Dialer{}.Peer(ctx, where, anywhere)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server := serve(t, "127.0.0.1", func(conn net.Conn) {
				handle(cancel, conn)
				io.Copy(io.Discard, conn) // until the client has closed
			})
			checkError(t, call(ctx, target(t, dial.TLS, "127.0.0.1", server.Port())), want, words...)
		})
	}
}

// hello reads the beginning of the client's.
func hello(conn net.Conn) { io.ReadFull(conn, make([]byte, 32)) }

// TestNoAnswer has the context end when the server was heard and says nothing.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	attack(t, func(cancel func(), conn net.Conn) {
		hello(conn)
		cancel()
	}, dial.ErrTimeout, context.Canceled.Error())
}

// TestDribble has a server that sends a byte now and then, and never a whole record.
func TestDribble(t *testing.T) {
	t.Parallel()
	attack(t, func(cancel func(), conn net.Conn) {
		hello(conn)
		for _, b := range []byte{22, 3, 3, 0x40, 0, 2, 0, 0, 80} {
			conn.Write([]byte{b})
		}
		cancel()
	}, dial.ErrTimeout, context.Canceled.Error())
}

func TestReset(t *testing.T) {
	t.Parallel()
	attack(t, func(_ func(), conn net.Conn) {
		hello(conn)
		conn.Write([]byte{22, 3, 3, 0x40, 0, 2})
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}, dial.ErrHandshake)
}

func TestClosed(t *testing.T) {
	t.Parallel()
	attack(t, func(_ func(), conn net.Conn) {
		io.CopyN(io.Discard, conn, 5)
		conn.(*net.TCPConn).CloseWrite()
	}, dial.ErrHandshake, "closed the connection")
}

func TestNoTLS(t *testing.T) {
	t.Parallel()
	attack(t, func(_ func(), conn net.Conn) {
		io.WriteString(conn, "220 mail.test ESMTP\r\n")
	}, dial.ErrHandshake, "does not speak TLS")
}

// TestEndlessHandshake has a server that announces a message without end.
func TestEndlessHandshake(t *testing.T) {
	t.Parallel()
	attack(t, func(_ func(), conn net.Conn) {
		hello(conn)
		record := append([]byte{22, 3, 3, 0x40, 0}, bytes.Repeat([]byte{0xff}, 0x4000)...)
		record[5] = 2 // a ServerHello
		for {
			if _, err := conn.Write(record); err != nil {
				return
			}
		}
	}, dial.ErrHandshake)
}

// TestAlerts has a server that refuses every handshake.
func TestAlerts(t *testing.T) {
	t.Parallel()
	attack(t, func(_ func(), conn net.Conn) {
		hello(conn)
		conn.Write([]byte{21, 3, 3, 0, 2, 2, 40})
		conn.(*net.TCPConn).CloseWrite()
	}, dial.ErrHandshake, "the server says: tls: handshake failure")
}

// TestEndlessChain has a chain that is larger than crypto/tls reads.
func TestEndlessChain(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t, leaf("127.0.0.1"))
	for len(cert.Certificate) < 1000 {
		cert.Certificate = append(cert.Certificate, cert.Certificate[0])
	}
	attack(t, func(_ func(), conn net.Conn) {
		tls.Server(conn, with(cert)).Handshake()
	}, dial.ErrHandshake)
}

func TestLongChain(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert := ca.issue(t, leaf("localhost"))
	for len(cert.Certificate) < 200 {
		cert.Certificate = append(cert.Certificate, cert.Certificate[1])
	}
	r := peer(t, dial.Dialer{Roots: ca.pool}, "localhost", serveTLS(t, with(cert)).Port())
	if !r.Verified || len(r.Certificates) != dial.MaxCertificates || r.LeftOut != 200-dial.MaxCertificates {
		t.Errorf("verified %v, %d certificates, %d left out", r.Verified, len(r.Certificates), r.LeftOut)
	}
}

// TestLargeReport has certificates that grow sixfold as JSON.
func TestLargeReport(t *testing.T) {
	t.Parallel()
	controls := strings.Repeat("\x01", 60<<10)
	var chain tls.Certificate
	for range 4 {
		cert := selfSigned(t, leaf("localhost", controls))
		if chain.PrivateKey == nil {
			chain = cert
		} else {
			chain.Certificate = append(chain.Certificate, cert.Certificate[0])
		}
	}
	r := peer(t, dial.Dialer{}, "localhost", serveTLS(t, with(chain)).Port())
	if len(r.Certificates) == 0 || len(r.Certificates)+r.LeftOut != 4 || r.LeftOut == 0 {
		t.Errorf("%d certificates, %d left out", len(r.Certificates), r.LeftOut)
	}
}
