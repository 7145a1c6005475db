// check_http asks a web server and looks at the status, the time, the content and
// the certificate. Its options are those of the Monitoring Plugins' check_http,
// https://www.monitoring-plugins.org/doc/man/check_http.html, and so are its states.
//
//	check_http -H NAME [-S] [-p PORT] [-u PATH] [-w RANGE] [-c RANGE] [-s TEXT] [-e TEXT] [-f ACTION]
//	check_http -H NAME -C WARN[,CRIT] [-p PORT]
//
// Three things differ. The agent verifies the server's certificate wherever -S is
// given. A header that is none and a page that ends before its announced length are
// CRITICAL. And a regular expression is one of Go's, https://golang.org/s/re2syntax.
//
// It needs the permission "/dev/tcp/NAME/PORT", or with -S "/dev/tls/NAME/PORT";
// with -C "/dev/tls/NAME/PORT/peer".
package main

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
)

// ask is what the command line says.
type ask struct {
	name, address, path string
	port                int
	tls                 bool
	method, body        string
	header              textproto.MIMEHeader

	redirect string // what to do about one
	hops     int    // how many to follow

	days   *days // of the certificate, instead of asking for a page
	goOn   bool  // ask for the page even so
	limits guest.Thresholds
	expect expectation
}

func main() {
	a := &ask{path: "/", redirect: "ok", hops: 15, header: textproto.MIMEHeader{"User-Agent": {"check_http (wasmagent)"}}}
	guest.Plugin{
		Name:    "check_http",
		Version: "1.0.0",
		About:   "asks a web server and looks at its answer or its certificate",
		Usage:   "-H NAME | -I ADDRESS [-S] [-p PORT] [-u PATH] [-w RANGE] [-c RANGE] [-s TEXT] [-e TEXT] [-C DAYS[,DAYS]]",
		Options: append(a.limits.Options("response time in seconds"), a.options()...),
		Late:    check.StateCritical,
		Check:   a.check,
	}.Main()
}

func (a *ask) options() []guest.Option {
	return append([]guest.Option{
		{Short: 'H', Long: "hostname", Argument: "NAME", Help: "the server's name, for the request and, without -I, to connect to; perhaps with :PORT", Set: guest.Into(&a.name, guest.Text)},
		{Short: 'I', Long: "IP-address", Argument: "ADDRESS", Help: "the address to connect to; not with -S, which verifies the name that it connects to", Set: guest.Into(&a.address, guest.Text)},
		{Short: 'p', Long: "port", Argument: "PORT", Help: "the port (default: 80, with -S or -C 443)", Set: guest.Into(&a.port, guest.Port)},
		{Short: 'u', Long: "url", Argument: "PATH", Help: "what to ask for (default: /)", Set: guest.Into(&a.path, guest.Text)},
		{Short: 'S', Long: "ssl", Argument: "[VERSION+]", Help: "by TLS; of a version, only its lowest can be given, as in 1.2+", Set: a.secure},
		{Long: "sni", Help: "does nothing: the server is always told the name", Set: guest.True(new(bool))},
		{Short: 'C', Long: "certificate", Argument: "WARN[,CRIT]", Help: "look at the certificate: WARNING and CRITICAL if it has so few days left", Set: guest.Into(&a.days, readDays)},
		{Long: "continue-after-certificate", Help: "with -C, ask for the page as well", Set: guest.True(&a.goOn)},
		{Short: 'j', Long: "method", Argument: "METHOD", Help: "the method of the request (default: GET)", Set: guest.Into(&a.method, guest.Text)},
		{Short: 'P', Long: "post", Argument: "TEXT", Help: "send this, with POST", Set: guest.Into(&a.body, guest.Text)},
		{Short: 'T', Long: "content-type", Argument: "TYPE", Help: "what is sent with -P", Set: a.set("Content-Type", "")},
		{Short: 'A', Long: "useragent", Argument: "TEXT", Help: "who asks", Set: a.set("User-Agent", "")},
		{Short: 'a', Long: "authorization", Argument: "USER:PASSWORD", Help: "for basic authentication", Set: a.authorize},
		{Short: 'k', Long: "header", Argument: "NAME: TEXT", Help: "a line of the request's header; may be repeated", Set: a.add},
		{Short: 'f', Long: "onredirect", Argument: "ACTION", Help: "what to do about a redirect: ok, warning, critical, follow, sticky or stickyport (default: ok)", Set: guest.Into(&a.redirect, readAction)},
		{Long: "max-redirs", Argument: "NUMBER", Help: "how many to follow (default: 15)", Set: guest.Into(&a.hops, readCount)},
	}, a.expect.options()...)
}

// check looks at the certificate, or asks for the page, or both.
func (a *ask) check(ctx context.Context) (check.Result, error) {
	if err := a.complete(); err != nil {
		return check.Result{}, err
	}
	if a.days == nil {
		return a.page(ctx)
	}
	certificate, err := a.certificate(ctx)
	if err != nil || !a.goOn || certificate.State != check.StateOK {
		return certificate, err
	}
	page, err := a.page(ctx)
	page.Text += "; " + certificate.Text
	page.Perf = append(page.Perf, certificate.Perf...)
	return page, err
}

// complete fills in what follows from the options, and says what contradicts.
func (a *ask) complete() error {
	a.tls = a.tls || a.days != nil
	if name, port, ok := strings.Cut(a.name, ":"); ok && strings.Count(a.name, ":") == 1 {
		number, err := guest.Port(port)
		if err != nil {
			return fmt.Errorf("-H %.100q: %w", a.name, err)
		}
		a.name = name
		if a.port == 0 {
			a.port = number
		}
	}
	if a.name == "" {
		a.name = a.address
	}
	switch {
	case a.name == "":
		return errors.New("which server? give -H NAME")
	case a.tls && a.address != "" && a.address != a.name:
		return errors.New("with TLS the agent connects to the name that it verifies; leave -I out")
	}
	if a.port == 0 && a.tls {
		a.port = 443
	} else if a.port == 0 {
		a.port = 80
	}
	if a.body != "" && a.method == "" {
		a.method = "POST"
	}
	return nil
}

// secure takes the version of -S.
func (a *ask) secure(version string) error {
	a.tls = true
	if version != "" && !slices.Contains([]string{"1+", "1.1+", "1.2+", "2+", "3+"}, version) {
		return fmt.Errorf("the agent agrees with the server on the version, 1.2 or later; %q cannot be asked for, but 1.2+ can", version)
	}
	return nil
}
