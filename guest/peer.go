package guest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// A Peer is what a handshake with a TLS server has shown.
type Peer struct {
	// ServerName is the host that was asked for.
	ServerName string `json:"server_name"`
	// Address is the IP address and port that answered.
	Address netip.AddrPort `json:"address"`
	// Version is what was agreed on, such as "TLS 1.3".
	Version string `json:"version"`
	// CipherSuite is the agreed one in IANA's spelling.
	CipherSuite string `json:"cipher_suite"`
	// ALPN is the protocol that the server chose of "h2" and "http/1.1"; "" if it
	// chose none.
	ALPN string `json:"alpn"`
	// ClientCertificate tells whether the server asked for a certificate of the
	// client. None was sent.
	ClientCertificate bool `json:"client_certificate"`
	// Verified tells whether the server's certificate is valid now, for ServerName,
	// and vouched for by an authority that is trusted here.
	Verified bool `json:"verified"`
	// VerificationError says why not, in a sentence for people.
	VerificationError string `json:"verification_error"`
	// Certificates are the server's in its own order, its own certificate first.
	Certificates []Certificate `json:"certificates"`
	// LeftOut is how many more it sent.
	LeftOut int `json:"left_out"`
}

// A Certificate is one that a server sent, https://www.rfc-editor.org/rfc/rfc5280.
type Certificate struct {
	// Subject and Issuer are names as of https://www.rfc-editor.org/rfc/rfc2253.
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	// Serial is the serial number in lower-case hex, two digits a byte.
	Serial string `json:"serial"`
	// NotBefore and NotAfter are the first and the last second of validity in UTC.
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	// DNSNames and IPAddresses are the subject's alternative names.
	DNSNames    []string `json:"dns_names"`
	IPAddresses []string `json:"ip_addresses"`
	// SHA256 is the fingerprint of the whole certificate in lower-case hex.
	SHA256 string `json:"sha256"`
	// PEM is the certificate itself.
	PEM string `json:"pem"`
}

// PeerOf makes a TLS handshake with the server at an address, "HOST:PORT", and
// returns what it has shown, trusted or not: this is how to look at a
// certificate that is expired or for another name. No data is sent.
//
// In the agent this reads /dev/tls/HOST/PORT/peer, for which the module needs a
// permission of its own. What Dial says of addresses, errors and waiting holds here
// too.
func PeerOf(ctx context.Context, address string) (Peer, error) {
	host, port, err := canonical(address)
	if err != nil {
		return Peer{}, err
	}
	if err := ctx.Err(); err != nil {
		return Peer{}, fmt.Errorf("%s: %w", address, err)
	}
	p, err := peer(ctx, host, port)
	if err == nil && len(p.Certificates) == 0 {
		err = fmt.Errorf("%s: the server has shown no certificate", address)
	}
	return p, err
}

// Days is how many whole days a certificate is still valid; below zero once it
// is expired.
func (c Certificate) Days(now time.Time) int {
	left := c.NotAfter.Sub(now)
	if left < 0 {
		return -1 - int(-left/day)
	}
	return int(left / day)
}

const day = 24 * time.Hour

// Expiry judges how long a certificate is still valid as the Monitoring Plugins do:
// CRITICAL where it is expired or has at most crit days left, WARNING at
// most warn days. A certificate that is not valid yet is CRITICAL as well.
func (c Certificate) Expiry(now time.Time, warn, crit int) (check.State, string) {
	name, days := c.Name(), c.Days(now)
	end := c.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	state := check.StateOK
	switch {
	case days < 0:
		return check.StateCritical, fmt.Sprintf("certificate %q expired on %s", name, end)
	case now.Before(c.NotBefore):
		return check.StateCritical, fmt.Sprintf("certificate %q is not valid before %s", name, c.NotBefore.UTC().Format("2006-01-02 15:04 MST"))
	case days <= crit:
		state = check.StateCritical
	case days <= warn:
		state = check.StateWarning
	}
	if days == 0 {
		return state, fmt.Sprintf("certificate %q expires within a day, on %s", name, end)
	}
	return state, fmt.Sprintf("certificate %q expires in %d days, on %s", name, days, end)
}

// Name is what people call the certificate: the common name of its subject, or
// else its first alternative name, or else the whole subject.
func (c Certificate) Name() string {
	if name := commonName(c.Subject); name != "" {
		return name
	}
	for _, names := range [][]string{c.DNSNames, c.IPAddresses} {
		if len(names) > 0 {
			return names[0]
		}
	}
	return c.Subject
}

// commonName finds CN in a name as of RFC 2253, in which a backslash stands before
// a comma that separates nothing; "" if there is none.
func commonName(subject string) string {
	for part := range strings.SplitSeq(strings.ReplaceAll(subject, `\,`, "\x00"), ",") {
		if name, ok := strings.CutPrefix(part, "CN="); ok {
			return strings.ReplaceAll(name, "\x00", ",")
		}
	}
	return ""
}
