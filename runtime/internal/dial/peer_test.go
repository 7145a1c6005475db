package dial_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/runtime/internal/dial"
)

// peer reads the document about a server on loopback.
func peer(t *testing.T, d dial.Dialer, host string, port uint16) dial.Report {
	t.Helper()
	document, err := d.Peer(t.Context(), target(t, dial.TLS, host, port, "peer"), anywhere)
	if err != nil {
		t.Fatal(err)
	}
	if len(document) > dial.MaxReport {
		t.Errorf("the document has %d bytes", len(document))
	}
	var r dial.Report
	if err := json.Unmarshal(document, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPeer(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := ca.issue(t, leaf("localhost", "127.0.0.1"))
	h2 := with(good)
	h2.NextProtos = []string{"h2"}
	for _, row := range []struct {
		name          string
		config        *tls.Config
		host          string
		version, alpn string
		asked         bool
		untrusted     string // "" is trusted
	}{
		{"valid", with(good), "localhost", "TLS 1.3", "", false, ""},
		{"address", with(good), "127.0.0.1", "TLS 1.3", "", false, ""},
		{"protocol", h2, "localhost", "TLS 1.3", "h2", false, ""},
		{"another protocol", picky(good), "localhost", "TLS 1.3", "", false, ""},
		{"expired", with(ca.issue(t, expired("localhost"))), "localhost", "TLS 1.3", "", false, "expired"},
		{"wrong name", with(ca.issue(t, leaf("other.test"))), "localhost", "TLS 1.3", "", false, "not localhost"},
		{"self-signed", with(selfSigned(t, leaf("localhost"))), "localhost", "TLS 1.3", "", false, "unknown authority"},
		{"TLS 1.0", between(good, tls.VersionTLS10, tls.VersionTLS10), "localhost", "TLS 1.0", "", false, ""},
		{"TLS 1.1", between(good, tls.VersionTLS11, tls.VersionTLS11), "localhost", "TLS 1.1", "", false, ""},
		{"TLS 1.2", between(good, tls.VersionTLS12, tls.VersionTLS12), "localhost", "TLS 1.2", "", false, ""},
		{"client certificate, TLS 1.3", mutual(good, tls.VersionTLS13), "localhost", "TLS 1.3", "", true, ""},
		{"client certificate, TLS 1.2", mutual(good, tls.VersionTLS12), "localhost", "TLS 1.2", "", true, ""},
		{"client certificate, TLS 1.0", mutual(good, tls.VersionTLS10), "localhost", "TLS 1.0", "", true, ""},
		{"client certificate, expired", mutual(ca.issue(t, expired("localhost")), tls.VersionTLS12), "localhost", "TLS 1.2", "", true, "expired"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := serveTLS(t, row.config)
			r := peer(t, dial.Dialer{Roots: ca.pool}, row.host, server.Port())
			if r.ServerName != row.host || r.Address != server || r.Version != row.version || r.ALPN != row.alpn || r.ClientCertificate != row.asked {
				t.Errorf("got %+v", r)
			}
			if r.Verified != (row.untrusted == "") || r.Verified != (r.VerificationError == "") || !strings.Contains(r.VerificationError, row.untrusted) {
				t.Errorf("verified %v, %q; want %q", r.Verified, r.VerificationError, row.untrusted)
			}
			checkCertificates(t, r, row.config.Certificates[0])
		})
	}
}

// checkCertificates compares the report with what the server sends.
func checkCertificates(t *testing.T, r dial.Report, sent tls.Certificate) {
	t.Helper()
	if len(r.Certificates) != len(sent.Certificate) || r.LeftOut != 0 {
		t.Fatalf("%d certificates, %d left out", len(r.Certificates), r.LeftOut)
	}
	for i, c := range r.Certificates {
		block, rest := pem.Decode([]byte(c.PEM))
		sum := sha256.Sum256(sent.Certificate[i])
		if block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 || !slices.Equal(block.Bytes, sent.Certificate[i]) || c.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("certificate %d: %+v", i, c)
		}
	}
	if !strings.HasPrefix(r.CipherSuite, "TLS_") {
		t.Errorf("cipher suite %q", r.CipherSuite)
	}
}

// TestCertificate compares every member of one.
func TestCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	template := leaf("localhost", "127.0.0.1", "2001:db8::1")
	template.SerialNumber = big.NewInt(0xabc)
	template.NotBefore = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	template.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	r := peer(t, dial.Dialer{Roots: ca.pool}, "localhost", serveTLS(t, with(ca.issue(t, template))).Port())
	got := r.Certificates[0]
	got.PEM, got.SHA256 = "", "" // which checkCertificates compares
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"subject":"CN=localhost,O=Tests","issuer":"CN=Test CA,O=Tests","serial":"0abc",` +
		`"not_before":"2020-01-02T03:04:05Z","not_after":"9999-12-31T23:59:59Z",` +
		`"dns_names":["localhost"],"ip_addresses":["127.0.0.1","2001:db8::1"],` +
		`"signature_algorithm":"ECDSA-SHA256","public_key_algorithm":"ECDSA","public_key_bits":256,"sha256":"","pem":""}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		cert      tls.Certificate
		algorithm string
		bits      int
	}{
		{keyed(t, rsaKey.Public(), rsaKey), "RSA", 2048},
		{keyed(t, edKey.Public(), edKey), "Ed25519", 256},
	} {
		r := peer(t, dial.Dialer{}, "localhost", serveTLS(t, with(row.cert)).Port())
		c := r.Certificates[0]
		if c.PublicKeyAlgorithm != row.algorithm || c.PublicKeyBits != row.bits || c.DNSNames == nil || c.IPAddresses == nil {
			t.Errorf("got %+v; want %s of %d bits", c, row.algorithm, row.bits)
		}
	}
}

// keyed is a certificate without names that a key has signed for itself.
func keyed(t *testing.T, public, private any) tls.Certificate {
	t.Helper()
	template := commonName("localhost")
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// TestUnproven has a server break off after the certificate, in the one key
// exchange in which nothing has shown by then that it holds the key.
func TestUnproven(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert := keyed(t, key.Public(), key)
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	config := mutual(cert, tls.VersionTLS12)
	config.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
	r := peer(t, dial.Dialer{Roots: pool}, "localhost", serveTLS(t, config).Port())
	if r.Verified || !strings.Contains(r.VerificationError, "nothing shows that the server holds") {
		t.Errorf("got %v, %q", r.Verified, r.VerificationError)
	}
}

// TestStolenCertificate has a server that sends a certificate without its key.
func TestStolenCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	d := dial.Dialer{Roots: ca.pool}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cert := ca.issue(t, leaf("localhost"))
		cert.PrivateKey = newKey(t)
		server := serveTLS(t, mutual(cert, version))
		_, err := d.Dial(t.Context(), target(t, dial.TLS, "localhost", server.Port()), anywhere)
		checkError(t, err, dial.ErrHandshake, "invalid signature")
		if r := peer(t, d, "localhost", server.Port()); r.Verified || !strings.Contains(r.VerificationError, "invalid signature") {
			t.Errorf("%s: verified %v, %q", r.Version, r.Verified, r.VerificationError)
		}
	}
}
