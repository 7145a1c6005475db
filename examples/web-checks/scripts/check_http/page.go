package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/guest"
	"github.com/wasmagent/wasmagent/guest/http1"
)

// request is the first one.
func (a *ask) request() (http1.Request, error) {
	scheme, usual := "http", 80
	if a.tls {
		scheme, usual = "https", 443
	}
	host := net.JoinHostPort(a.name, strconv.Itoa(a.port))
	to, err := url.ParseRequestURI(a.path)
	if err != nil || to.Scheme != "" {
		return http1.Request{}, fmt.Errorf("-u %.100q: want a path such as /status", a.path)
	}
	to.Scheme, to.Host = scheme, host
	if a.port == usual {
		to.Host = strings.TrimSuffix(to.Host, ":"+strconv.Itoa(usual))
	}
	r := http1.Request{Method: a.method, URL: to, Header: a.header, Body: a.body}
	if a.body != "" && a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if a.address != "" && !a.tls {
		r.Address = net.JoinHostPort(a.address, strconv.Itoa(a.port))
	}
	return r, nil
}

// page asks for the page, follows redirects as far as it should, and judges what
// comes.
func (a *ask) page(ctx context.Context) (check.Result, error) {
	r, err := a.request()
	if err != nil {
		return check.Result{}, err
	}
	for hop := 0; ; hop++ {
		answer, err := r.Do(ctx)
		if err != nil {
			return guest.Unreachable(err)
		}
		if !a.follows(answer) {
			return a.judge(answer), nil
		}
		next, err := a.next(r, answer)
		if err != nil || hop >= a.hops {
			return stuck(r.URL, err), nil
		}
		r = next
	}
}

// follows tells whether an answer leads to another request.
func (a *ask) follows(answer *http1.Answer) bool {
	follow := a.redirect == "follow" || strings.HasPrefix(a.redirect, "sticky")
	return follow && len(a.expect.lines) == 0 && answer.Status >= 300 && answer.Status < 400
}

// A redirectError says why a redirect is not followed.
type redirectError struct {
	state check.State
	text  string
}

func (e redirectError) Error() string { return e.text }

// next is the request that a redirect asks for.
func (a *ask) next(r http1.Request, answer *http1.Answer) (http1.Request, error) {
	to, err := answer.Location(r.URL)
	switch {
	case err != nil:
		return r, redirectError{check.StateUnknown, err.Error()}
	case to == nil:
		return r, redirectError{check.StateUnknown, "could not find redirect location - " + answer.Line}
	case to.Scheme != "http" && to.Scheme != "https":
		return r, redirectError{check.StateUnknown, "redirect to " + to.Redacted() + ", which is not for a web browser"}
	case to.String() == r.URL.String():
		return r, redirectError{check.StateCritical, "redirection creates an infinite loop - " + to.Redacted()}
	}
	r.URL, r.Address = to, a.stick(to)
	return r, nil
}

// stick is the address to connect to for a redirect; empty is that of the URL.
func (a *ask) stick(to *url.URL) string {
	host, port := cmp.Or(a.address, a.name), strconv.Itoa(a.port)
	switch a.redirect {
	case "sticky":
		return net.JoinHostPort(host, cmp.Or(to.Port(), map[string]string{"http": "80", "https": "443"}[to.Scheme]))
	case "stickyport":
		return net.JoinHostPort(host, port)
	}
	return ""
}

// stuck is the answer where redirects do not end.
func stuck(at *url.URL, err error) check.Result {
	if e, ok := err.(redirectError); ok {
		return check.Result{State: e.state, Text: e.text}
	}
	return check.Result{State: check.StateWarning, Text: "maximum redirection depth exceeded - " + at.Redacted()}
}

// judge compares an answer with what is wanted.
func (a *ask) judge(answer *http1.Answer) check.Result {
	state, text := a.expect.line(answer)
	if answer.Status >= 300 && answer.Status < 400 && len(a.expect.lines) == 0 {
		state = map[string]check.State{"ok": check.StateOK, "warning": check.StateWarning, "critical": check.StateCritical}[a.redirect]
	}
	worse, complaints := a.expect.complaints(answer)
	seconds := answer.Total.Round(time.Microsecond).Seconds()
	state = check.Worse(check.Worse(state, worse), a.limits.State(seconds))
	texts := append([]string{text}, complaints...)
	took := a.limits.Perf("time", seconds, "s")
	took.Min = new(0.0)
	return check.Result{
		State: state,
		Text:  fmt.Sprintf("%s - %d bytes in %.3f second response time", strings.Join(texts, ", "), answer.Size, seconds),
		Perf:  []check.Perf{took, {Label: "size", Value: float64(answer.Size), Unit: "B", Min: new(0.0)}},
	}
}
