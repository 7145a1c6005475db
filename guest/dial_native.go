//go:build !wasip1

package guest

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
)

// inAgent tells that the program runs in the agent, not as a plugin of its own.
const inAgent = false

// dial connects as the agent does. Go takes the authorities from the system, on
// Unix from the file that SSL_CERT_FILE names if it is set.
func dial(ctx context.Context, network, host, port string) (net.Conn, error) {
	address := net.JoinHostPort(host, port)
	if network == "tls" {
		return (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func words(err error) string { return err.Error() }

// peer looks at the server itself, and then asks whether to trust it.
func peer(ctx context.Context, host, port string) (Peer, error) {
	dialer := tls.Dialer{Config: &tls.Config{
		ServerName: host, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS10,
		InsecureSkipVerify: true, // nothing is sent; Verified tells
	}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return Peer{}, err
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState()
	p := Peer{
		ServerName: host, Address: conn.RemoteAddr().(*net.TCPAddr).AddrPort(),
		Version: tls.VersionName(state.Version), CipherSuite: tls.CipherSuiteName(state.CipherSuite), ALPN: state.NegotiatedProtocol,
	}
	for _, c := range state.PeerCertificates {
		p.Certificates = append(p.Certificates, certificate(c))
	}
	if err := trusted(host, state.PeerCertificates); err != nil {
		p.VerificationError = err.Error()
	}
	p.Verified = p.VerificationError == ""
	return p, nil
}

// trusted says why a chain is not to be trusted for a host.
func trusted(host string, chain []*x509.Certificate) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Intermediates: between})
	return err
}

func certificate(c *x509.Certificate) Certificate {
	ips := []string{}
	for _, ip := range c.IPAddresses {
		ips = append(ips, ip.String())
	}
	return Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: fmt.Sprintf("%x", c.SerialNumber.Bytes()),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), DNSNames: append([]string{}, c.DNSNames...), IPAddresses: ips,
		SHA256: fmt.Sprintf("%x", sha256.Sum256(c.Raw)),
		PEM:    string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
	}
}
