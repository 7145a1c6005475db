package dial

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/netip"
	"time"
)

const (
	// MaxReport is the largest JSON document of Peer in bytes.
	MaxReport = 1 << 20
	// MaxCertificates is the most certificates in it.
	MaxCertificates = 16
)

// A Report is what Peer tells of a TLS server. Every member is always there.
type Report struct {
	// ServerName is the host that was asked for.
	ServerName string `json:"server_name"`
	// Address is the IP address and port that answered, "192.0.2.1:443" or
	// "[2001:db8::1]:443".
	Address netip.AddrPort `json:"address"`
	// Version is what was agreed on, of TLS 1.0 to 1.3: "TLS 1.3".
	Version string `json:"version"`
	// CipherSuite is the agreed one in IANA's spelling,
	// https://www.iana.org/assignments/tls-parameters/.
	CipherSuite string `json:"cipher_suite"`
	// ALPN is the protocol that the server chose of "h2" and "http/1.1"; "" if it
	// chose none.
	ALPN string `json:"alpn"`
	// ClientCertificate tells whether the server asked for a certificate of the
	// client. None was sent.
	ClientCertificate bool `json:"client_certificate"`
	// Verified tells whether the server holds the key of its certificate, and the
	// certificate is valid now, for ServerName, and vouched for by an authority that
	// the agent trusts.
	Verified bool `json:"verified"`
	// VerificationError says why not, in a sentence for people; "" if Verified.
	VerificationError string `json:"verification_error"`
	// Certificates are the server's in its own order, its own certificate first; at
	// most MaxCertificates, and fewer where the document would be too large.
	Certificates []Certificate `json:"certificates"`
	// LeftOut is how many more the server sent.
	LeftOut int `json:"left_out"`
}

// A Certificate is one that a server sent, https://www.rfc-editor.org/rfc/rfc5280.
type Certificate struct {
	// Subject and Issuer are names as of https://www.rfc-editor.org/rfc/rfc2253.
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	// Serial is the serial number in lower-case hex, two digits a byte.
	Serial string `json:"serial"`
	// NotBefore and NotAfter are the first and the last second of validity in UTC,
	// as of RFC 3339.
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	// DNSNames and IPAddresses are the subject's alternative names.
	DNSNames    []string `json:"dns_names"`
	IPAddresses []string `json:"ip_addresses"`
	// SignatureAlgorithm is such as "SHA256-RSA"; "unknown" if it is.
	SignatureAlgorithm string `json:"signature_algorithm"`
	// PublicKeyAlgorithm is "RSA", "ECDSA", "Ed25519" or "DSA"; "unknown" if it is.
	PublicKeyAlgorithm string `json:"public_key_algorithm"`
	// PublicKeyBits is the length of the key: of the modulus of RSA, of the curve of
	// the others. It is 0 for other algorithms.
	PublicKeyBits int `json:"public_key_bits"`
	// SHA256 is the fingerprint of the whole certificate in lower-case hex.
	SHA256 string `json:"sha256"`
	// PEM is the certificate itself.
	PEM string `json:"pem"`
}

// report tells what was seen; untrusted is nil if the server is trusted.
func (s sight) report(host string, addr netip.AddrPort, untrusted error) Report {
	r := Report{
		ServerName:        host,
		Address:           addr,
		Version:           tls.VersionName(s.state.Version),
		CipherSuite:       tls.CipherSuiteName(s.state.CipherSuite),
		ALPN:              s.state.NegotiatedProtocol,
		ClientCertificate: s.asked,
		Verified:          untrusted == nil,
		Certificates:      []Certificate{},
	}
	if untrusted != nil {
		r.VerificationError = printable(untrusted.Error())
	}
	chain := s.state.PeerCertificates
	for _, c := range chain[:min(len(chain), MaxCertificates)] {
		r.Certificates = append(r.Certificates, certificate(c))
	}
	r.LeftOut = len(chain) - len(r.Certificates)
	return r
}

// encode leaves out certificates from the end until the document is small enough.
func encode(r Report) ([]byte, error) {
	for {
		document, err := json.Marshal(r)
		if err != nil || len(document) <= MaxReport {
			return document, err
		}
		r.Certificates = r.Certificates[:len(r.Certificates)-1]
		r.LeftOut++
	}
}

func certificate(c *x509.Certificate) Certificate {
	sum := sha256.Sum256(c.Raw)
	ips := []string{}
	for _, ip := range c.IPAddresses {
		ips = append(ips, ip.String())
	}
	return Certificate{
		Subject:            c.Subject.String(),
		Issuer:             c.Issuer.String(),
		Serial:             serial(c.SerialNumber),
		NotBefore:          c.NotBefore.UTC(),
		NotAfter:           c.NotAfter.UTC(),
		DNSNames:           append([]string{}, c.DNSNames...),
		IPAddresses:        ips,
		SignatureAlgorithm: known(c.SignatureAlgorithm != x509.UnknownSignatureAlgorithm, c.SignatureAlgorithm.String()),
		PublicKeyAlgorithm: known(c.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm, c.PublicKeyAlgorithm.String()),
		PublicKeyBits:      bits(c.PublicKey),
		SHA256:             hex.EncodeToString(sum[:]),
		PEM:                string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
	}
}

func known(is bool, name string) string {
	if is {
		return name
	}
	return "unknown"
}

// serial writes a number as openssl does, but in lower case.
func serial(n *big.Int) string {
	return hex.EncodeToString(n.FillBytes(make([]byte, max(1, (n.BitLen()+7)/8))))
}

func bits(key any) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *ecdsa.PublicKey:
		return k.Params().BitSize
	case ed25519.PublicKey:
		return 8 * ed25519.PublicKeySize
	}
	return 0
}
