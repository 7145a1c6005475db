package hostkey

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
)

// Clients are the authorities that vouch for clients.
type Clients struct{ pool *watched[*x509.CertPool] }

// OpenClients reads the authorities from a file in PEM.
func OpenClients(file string, log *slog.Logger) (*Clients, error) {
	pool, err := watch(log, func() (*x509.CertPool, error) { return loadPool(file) }, file)
	if err != nil {
		return nil, err
	}
	return &Clients{pool}, nil
}

func loadPool(file string) (*x509.CertPool, error) {
	text, err := readFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: holds no certificate in PEM", file)
	}
	return pool, nil
}

// verify is a tls.Config.VerifyConnection of a server: the client has a
// certificate that one of the authorities has signed for clients. It holds for
// sessions that are taken up again as well.
func (c *Clients) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the client shows no certificate")
	}
	options := x509.VerifyOptions{
		Roots:         c.pool.current(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, between := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(between)
	}
	_, err := state.PeerCertificates[0].Verify(options)
	return err
}

// Server is the configuration of a server that shows a certificate, TLS 1.2 at
// least. If clients is not nil, a client has to show one too, which clients
// vouches for; the server does not tell it whose it takes.
func Server(source *Source, clients *Clients) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: source.Certificate}
	if clients != nil {
		c.ClientAuth = tls.RequireAnyClientCert
		c.VerifyConnection = clients.verify
	}
	return c
}
