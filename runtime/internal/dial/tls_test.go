package dial_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// An authority signs certificates.
type authority struct {
	tls.Certificate
	pool *x509.CertPool
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	template := leaf("Test CA")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageCertSign, nil
	ca := authority{selfSigned(t, template), x509.NewCertPool()}
	ca.pool.AddCert(ca.Leaf)
	return ca
}

// leaf is a server's certificate, valid now and for these names and addresses.
func leaf(hosts ...string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1234),
		Subject:      pkix.Name{CommonName: hosts[0], Organization: []string{"Tests"}},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if addr, err := netip.ParseAddr(host); err == nil {
			template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

// expired is a certificate that was valid until an hour ago.
func expired(hosts ...string) *x509.Certificate {
	template := leaf(hosts...)
	template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	return template
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func selfSigned(t testing.TB, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key := newKey(t)
	return sign(t, template, template, key, key)
}

// issue signs a certificate, and sends the authority's with it.
func (ca authority) issue(t testing.TB, template *x509.Certificate) tls.Certificate {
	t.Helper()
	cert := sign(t, template, ca.Leaf, newKey(t), ca.PrivateKey.(*ecdsa.PrivateKey))
	cert.Certificate = append(cert.Certificate, ca.Leaf.Raw)
	return cert
}

func sign(t testing.TB, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) tls.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}
}

// serveTLS echoes inside TLS.
func serveTLS(t testing.TB, config *tls.Config) netip.AddrPort {
	t.Helper()
	return serve(t, "127.0.0.1", func(conn net.Conn) {
		secured := tls.Server(conn, config)
		defer secured.Close()
		if secured.Handshake() == nil {
			echo(secured)
		}
	})
}

// with is the configuration of a usual server.
func with(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// picky is that of a server that wants a protocol which nobody offers.
func picky(cert tls.Certificate) *tls.Config {
	c := with(cert)
	c.NextProtos = []string{"imap"}
	return c
}

// between is that of a server that speaks these versions and any cipher suite.
func between(cert tls.Certificate, oldest, latest uint16) *tls.Config {
	c := with(cert)
	c.MinVersion, c.MaxVersion = oldest, latest
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		c.CipherSuites = append(c.CipherSuites, suite.ID)
	}
	return c
}

// mutual is that of a server that demands a certificate of the client.
func mutual(cert tls.Certificate, version uint16) *tls.Config {
	c := between(cert, version, version)
	c.ClientAuth = tls.RequireAnyClientCert
	return c
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	good := ca.issue(t, leaf("localhost", "127.0.0.1"))
	for _, row := range []struct {
		name   string
		config *tls.Config
		host   string
		want   error
		words  string
	}{
		{"valid", with(good), "localhost", nil, ""},
		{"address", with(good), "127.0.0.1", nil, ""},
		{"TLS 1.2", between(good, tls.VersionTLS12, tls.VersionTLS12), "localhost", nil, ""},
		{"expired", with(ca.issue(t, expired("localhost"))), "localhost", dial.ErrCertificate, "expired"},
		{"wrong name", with(ca.issue(t, leaf("other.test"))), "localhost", dial.ErrCertificate, "valid for other.test, not localhost"},
		{"name as an address", with(ca.issue(t, leaf("localhost"))), "127.0.0.1", dial.ErrCertificate, "127.0.0.1"},
		{"common name only", with(ca.issue(t, commonName("localhost"))), "localhost", dial.ErrCertificate, "localhost"},
		{"self-signed", with(selfSigned(t, leaf("localhost"))), "localhost", dial.ErrCertificate, "unknown authority"},
		{"foreign authority", with(stranger.issue(t, leaf("localhost"))), "localhost", dial.ErrCertificate, "unknown authority"},
		{"hostile name", with(ca.issue(t, leaf("a\nb\x1b[2J.test"))), "localhost", dial.ErrCertificate, "a?b?[2J"},
		{"TLS 1.1", between(good, tls.VersionTLS10, tls.VersionTLS11), "localhost", dial.ErrHandshake, "the server says: tls: protocol version not supported"},
		{"TLS 1.2 with a client certificate", mutual(good, tls.VersionTLS12), "localhost", dial.ErrHandshake, "the server says: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			where := target(t, dial.TLS, row.host, serveTLS(t, row.config).Port())
			conn, err := dial.Dialer{Roots: ca.pool}.Dial(t.Context(), where, anywhere)
			if row.want != nil {
				checkError(t, err, row.want, where.String(), row.words)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			converse(t, conn)
		})
	}
}

// commonName is a certificate that has the name only where nobody looks any more.
func commonName(host string) *x509.Certificate {
	template := leaf(host)
	template.DNSNames = nil
	return template
}

// TestSystemRoots wants an authority of nobody's not to be among the system's.
func TestSystemRoots(t *testing.T) {
	t.Parallel()
	server := serveTLS(t, with(newAuthority(t).issue(t, leaf("localhost"))))
	_, err := dial.Dialer{}.Dial(t.Context(), target(t, dial.TLS, "localhost", server.Port()), anywhere)
	checkError(t, err, dial.ErrCertificate)
}
