// check_cert looks at the certificates of a TLS server: how long all of them are
// still valid, whether they are for the name, and whether an authority that is
// trusted vouches for them. It sees one that is expired, or whose server wants a
// certificate of the client.
//
//	check_cert -H NAME [-p PORT] [-w DAYS] [-c DAYS] [--no-verify]
//
// Days are compared as check_http -C and check_tcp -D of the Monitoring Plugins do,
// which look at the server's own certificate only and trust everybody, as
// --no-verify does here.
//
// It needs the permission "/dev/tls/NAME/PORT/peer".
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

// look is what the command line says.
type look struct {
	name       string
	port       int
	warn, crit uint64 // days
	trusting   bool   // look at the server's own certificate and trust everybody
}

func main() {
	l := &look{port: 443, warn: 30, crit: 7}
	guest.Plugin{
		Name:    "check_cert",
		Version: "1.0.0",
		About:   "looks at the certificates of a TLS server",
		Usage:   "-H NAME [-p PORT] [-w DAYS] [-c DAYS] [--no-verify]",
		Options: []guest.Option{
			{Short: 'H', Long: "hostname", Argument: "NAME", Help: "the server's name or address, which the certificate must be for", Set: guest.Into(&l.name, guest.Text)},
			{Short: 'p', Long: "port", Argument: "PORT", Help: "the port (default: 443)", Set: guest.Into(&l.port, guest.Port)},
			{Short: 'w', Long: "warning", Argument: "DAYS", Help: "WARNING if so few days are left (default: 30)", Set: guest.Into(&l.warn, readDays)},
			{Short: 'c', Long: "critical", Argument: "DAYS", Help: "CRITICAL if so few days are left (default: 7)", Set: guest.Into(&l.crit, readDays)},
			{Long: "no-verify", Help: "look at the days of the server's own certificate alone", Set: guest.True(&l.trusting)},
		},
		Late:  check.StateCritical,
		Check: l.check,
	}.Main()
}

func readDays(s string) (uint64, error) {
	days, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no number of days", s)
	}
	return days, nil
}

func (l *look) check(ctx context.Context) (check.Result, error) {
	if l.name == "" {
		return check.Result{}, errors.New("which server? give -H NAME")
	}
	peer, err := guest.PeerOf(ctx, net.JoinHostPort(l.name, strconv.Itoa(l.port)))
	if err != nil {
		return guest.Unreachable(err)
	}
	now, first := time.Now(), l.firstToExpire(peer)
	state, text := first.Expiry(now, int(l.warn), int(l.crit))
	if !peer.Verified && !l.trusting {
		state, text = check.StateCritical, text+"; not trusted: "+peer.VerificationError
	}
	return check.Result{
		State: state,
		Text:  fmt.Sprintf("%s; %s, issued by %s", text, peer.Version, peer.Certificates[0].Issuer),
		Long:  chain(peer),
		Perf: []check.Perf{{
			Label: "days", Value: float64(first.Days(now)),
			Warn: &check.Range{Start: float64(l.warn) + 1, End: forever}, Crit: &check.Range{Start: float64(l.crit) + 1, End: forever},
		}},
	}, nil
}

// firstToExpire is the certificate of the chain that decides.
func (l *look) firstToExpire(peer guest.Peer) guest.Certificate {
	first := peer.Certificates[0]
	for _, c := range peer.Certificates[1:] {
		if !l.trusting && c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	return first
}

// chain lists the certificates.
func chain(peer guest.Peer) string {
	var lines []string
	for _, c := range peer.Certificates {
		lines = append(lines, fmt.Sprintf("%s: %s to %s, serial %s, SHA-256 %s",
			c.Subject, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly), c.Serial, c.SHA256))
	}
	return strings.Join(lines, "\n")
}

var forever = math.Inf(1)
