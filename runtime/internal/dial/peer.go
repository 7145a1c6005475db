package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Peer makes a handshake with a TLS server and closes the connection, and returns
// what it learned: a Report as JSON, of at most MaxReport bytes. No data is sent.
//
// It is meant for the servers that Dial does not connect to: the certificate may
// be expired, for another name or from nobody known, the server may speak nothing
// later than TLS 1.0, or demand a certificate of the client. The report says
// whether Dial would have trusted the certificate, and else why not.
//
// An error means that no certificate was seen, and is one of this package's.
func (d Dialer) Peer(ctx context.Context, t Target, rule Rule) ([]byte, error) {
	if t.Network != TLS {
		return nil, fmt.Errorf("%v: is no TLS server to read about; want tls/HOST/PORT/peer", t)
	}
	conn, err := d.connect(ctx, t, rule)
	if err != nil {
		return nil, err
	}
	addr := remote(conn)
	seen, err := look(ctx, conn, t.Host, []string{"h2", "http/1.1"})
	if seen.none() && serverEnded(err) { // which some do for want of another ALPN protocol
		if conn, err = open(ctx, TCP, addr); err != nil {
			return nil, connectError(ctx, t, []failure{{addr, err}}, nil)
		}
		seen, err = look(ctx, conn, t.Host, nil)
	}
	if seen.none() {
		return nil, handshakeError(ctx, t, err)
	}
	return encode(seen.report(t.Host, addr, d.verify(seen, t.Host, err)))
}

func remote(conn net.Conn) netip.AddrPort {
	addr := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

// serverEnded tells whether the server answered a handshake with an alert.
func serverEnded(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == serverSays
}

// A sight is what a handshake has shown of a server.
type sight struct {
	state tls.ConnectionState
	// asked: the server asked for a certificate of the client, which it can do
	// only after it has sent its own.
	asked bool
}

func (s sight) none() bool { return len(s.state.PeerCertificates) == 0 }

// look makes a handshake that trusts everybody, and closes the connection. What it
// has seen counts even if the handshake fails later.
func look(ctx context.Context, conn net.Conn, host string, protocols []string) (seen sight, err error) {
	defer conn.Close() // without a word: the server may not be reading
	err = tls.Client(conn, &tls.Config{
		ServerName:         host,
		NextProtos:         protocols,
		MinVersion:         tls.VersionTLS10,
		CipherSuites:       everySuite(),
		InsecureSkipVerify: true, // nothing is sent; verify tells
		VerifyConnection: func(state tls.ConnectionState) error {
			seen.state = state
			return nil
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			seen.asked = true
			return new(tls.Certificate), nil
		},
	}).HandshakeContext(ctx)
	return seen, err
}

// everySuite lists the cipher suites of TLS 1.2 and before, the broken ones last.
func everySuite() (ids []uint16) {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, suite.ID)
	}
	return ids
}

// verify says why the server is not to be trusted, as Dial would, given the error
// of the handshake.
func (d Dialer) verify(seen sight, host string, err error) error {
	if err != nil && !seen.proven() {
		return fmt.Errorf("the handshake did not end, so that nothing shows that the server holds the certificate's key: %s", handshakeText(err))
	}
	chain := seen.state.PeerCertificates
	options := x509.VerifyOptions{Roots: d.Roots, DNSName: host, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err = chain[0].Verify(options)
	return err
}

// proven tells whether the server has shown that it holds its certificate's key,
// in a handshake that failed: whoever was asked for a certificate had checked the
// server's signature before, except in the key exchange that has none.
func (s sight) proven() bool {
	return s.asked && !strings.HasPrefix(tls.CipherSuiteName(s.state.CipherSuite), "TLS_RSA_")
}
