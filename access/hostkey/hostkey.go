// Package hostkey has the certificates of TLS: the one that this machine shows,
// made for it at its first start, or the operator's own; and those that vouch for
// clients.
//
// Guarantees: the key of a host is made once, by whichever process comes first,
// and never replaced or overwritten; only its owner can read it. Files that are
// replaced are noticed at the next handshake, at most a second later, without a
// restart. What cannot be used does not take the place of what is in use, and is
// logged once.
//
// Everything is safe for concurrent use.
package hostkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/wasmagent/wasmagent/internal/private"
)

const (
	// validity is how long a certificate of a host key is good, and renewal how
	// long before its end another one is made.
	validity = 10 * 365 * 24 * time.Hour
	renewal  = 365 * 24 * time.Hour
)

// Files are those of a certificate and of its key, in PEM.
type Files struct{ Certificate, Key string }

// Make makes the key of the host in a directory, ECDSA P-256 in key.pem, and a
// certificate that it signs itself, in cert.pem, for the names of this machine.
// What is there already stays, except for a certificate that ends within a year
// or belongs to another key; one that somebody else has signed for the key is left
// alone. Processes that make it at one time get the same.
func Make(dir string) (Files, error) {
	f := Files{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	if err := private.Dir(dir); err != nil {
		return Files{}, fmt.Errorf("the directory %s of the host key: %w", dir, err)
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, "lock")).Lock()
	if err != nil {
		return Files{}, err
	}
	defer unlock()
	key, err := f.key()
	if err == nil && f.stale(key) {
		err = f.certify(key)
	}
	return f, err
}

// key reads the key, or makes it if there is none.
func (f Files) key() (crypto.Signer, error) {
	text, err := readSecret(f.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return f.generate()
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: holds no key in PEM; remove it, and another one is made, which clients that trust this one have to be told", f.Key)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(crypto.Signer)
	if err == nil && !ok {
		err = errors.New("is no key to sign with")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove it, and another one is made, which clients that trust this one have to be told", f.Key, err)
	}
	return key, nil
}

func (f Files) generate() (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, write(f.Key, "PRIVATE KEY", der, 0o600)
}

// stale tells whether another certificate is needed for a key.
func (f Files) stale(key crypto.Signer) bool {
	text, err := readFile(f.Certificate)
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		return true
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return true
	}
	of, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !of.Equal(key.Public()) {
		return true
	}
	return own(c) && ending(c)
}

// own tells whether a certificate is signed by its own key.
func own(c *x509.Certificate) bool {
	return c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// ending tells whether a certificate is to be replaced.
func ending(c *x509.Certificate) bool { return time.Until(c.NotAfter) < renewal }

// certify makes the certificate.
func (f Files) certify(key crypto.Signer) error {
	now, names := time.Now(), names()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: names[0][:min(len(names[0]), maxCommonName)]},
		DNSNames:              names,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	return write(f.Certificate, "CERTIFICATE", der, 0o644)
}

// maxCommonName is the longest common name of a subject in bytes.
const maxCommonName = 64

// names are those of this machine that a certificate can hold.
func names() []string {
	name, err := os.Hostname()
	if err != nil || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return []string{"localhost"}
	}
	return slices.Compact([]string{name, "localhost"})
}

// write puts a file with one block in the place of any other, all at once.
func write(name, kind string, der []byte, mode fs.FileMode) error {
	return private.Replace(name, func(f *os.File) error {
		return errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Chmod(mode))
	})
}
