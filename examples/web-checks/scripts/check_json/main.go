// check_json compares a value in the JSON that a web server answers with
// thresholds or a text.
//
//	check_json -H NAME [-S] [-p PORT] [-u PATH] --path .a.b[0] [-w RANGE] [-c RANGE] [-s TEXT]
//
// A path is made of members, .NAME or ["NAME"], and of indices, [0] from the front
// and [-1] from the back. A value that is compared with ranges is a number, or a
// text that is one; true and false count as 1 and 0.
//
// The server is CRITICAL if it does not answer, answers something else than JSON, or
// if the path leads nowhere; an answer's status is judged as check_http does.
//
// It needs the permission "/dev/tcp/NAME/PORT", or with -S "/dev/tls/NAME/PORT".
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
	"github.com/wasmagent/wasmagent/guest/http1"
)

// ask is what the command line says.
type ask struct {
	name, path string
	port       int
	tls        bool
	header     textproto.MIMEHeader
	at         string
	limits     guest.Thresholds
	text       *string
	unit       string
}

func main() {
	a := &ask{path: "/", header: textproto.MIMEHeader{"Accept": {"application/json"}}}
	guest.Plugin{
		Name:    "check_json",
		Version: "1.0.0",
		About:   "compares a value in the JSON that a web server answers",
		Usage:   "-H NAME [-S] [-p PORT] [-u PATH] --path .a.b[0] [-w RANGE] [-c RANGE] [-s TEXT]",
		Options: append(a.limits.Options("value"), []guest.Option{
			{Short: 'H', Long: "hostname", Argument: "NAME", Help: "the server's name or address", Set: guest.Into(&a.name, guest.Text)},
			{Short: 'p', Long: "port", Argument: "PORT", Help: "the port (default: 80, with -S 443)", Set: guest.Into(&a.port, guest.Port)},
			{Short: 'u', Long: "url", Argument: "PATH", Help: "what to ask for (default: /)", Set: guest.Into(&a.path, guest.Text)},
			{Short: 'S', Long: "ssl", Help: "by TLS", Set: guest.True(&a.tls)},
			{Short: 'k', Long: "header", Argument: "NAME: TEXT", Help: "a line of the request's header; may be repeated", Set: a.add},
			{Long: "path", Argument: "PATH", Help: "where the value is, such as .status.queues[0].length", Set: guest.Into(&a.at, guest.Text)},
			{Short: 's', Long: "string", Argument: "TEXT", Help: "CRITICAL unless the value is this", Set: guest.Into(&a.text, pointer)},
			{Long: "unit", Argument: "UNIT", Help: "the unit of the value in the performance data", Set: guest.Into(&a.unit, guest.Text)},
		}...),
		Late:  check.StateCritical,
		Check: a.check,
	}.Main()
}

func pointer(s string) (*string, error) { return &s, nil }

// add takes a line of the header.
func (a *ask) add(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return fmt.Errorf("%.60q is no line of a header; want NAME: TEXT", line)
	}
	a.header.Add(name, strings.TrimSpace(value))
	return nil
}

func (a *ask) check(ctx context.Context) (check.Result, error) {
	steps, err := parsePath(a.at)
	if err != nil {
		return check.Result{}, err
	}
	r, err := a.request()
	if err != nil {
		return check.Result{}, err
	}
	answer, err := r.Do(ctx)
	if err != nil {
		return guest.Unreachable(err)
	}
	if state := judge(answer.Status); state != check.StateOK {
		return check.Result{State: state, Text: answer.Line}, nil
	}
	value, err := find(answer.Body, steps)
	if err != nil {
		return check.Result{State: check.StateCritical, Text: err.Error()}, nil
	}
	return a.compare(value), nil
}

func (a *ask) request() (http1.Request, error) {
	to, err := url.ParseRequestURI(a.path)
	switch {
	case a.name == "":
		return http1.Request{}, errors.New("which server? give -H NAME")
	case err != nil || to.Scheme != "":
		return http1.Request{}, fmt.Errorf("-u %.100q: want a path such as /status", a.path)
	}
	to.Scheme, to.Host = "http", a.name
	if a.tls {
		to.Scheme = "https"
	}
	if a.port != 0 {
		to.Host = net.JoinHostPort(a.name, strconv.Itoa(a.port))
	} else if strings.Contains(a.name, ":") {
		to.Host = "[" + a.name + "]"
	}
	return http1.Request{URL: to, Header: a.header}, nil
}

// judge is what a status means before the content is looked at.
func judge(status int) check.State {
	switch {
	case status >= 200 && status < 300:
		return check.StateOK
	case status >= 400 && status < 500:
		return check.StateWarning
	}
	return check.StateCritical
}

// compare judges the value.
func (a *ask) compare(value string) check.Result {
	r := check.Result{State: check.StateOK, Text: fmt.Sprintf("%s is %.200s", a.at, value)}
	if a.text != nil && value != *a.text {
		r.State, r.Text = check.StateCritical, fmt.Sprintf("%s, not %.200s", r.Text, *a.text)
	}
	number, err := numeric(value)
	switch ranges := a.limits.Warn != nil || a.limits.Crit != nil; {
	case err == nil:
		r.State = check.Worse(r.State, a.limits.State(number))
		r.Perf = []check.Perf{a.limits.Perf(a.at, number, a.unit)}
	case ranges:
		r.State, r.Text = check.StateCritical, r.Text+", which is no number"
	}
	return r
}

func numeric(value string) (float64, error) {
	switch value {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return strconv.ParseFloat(value, 64)
}
