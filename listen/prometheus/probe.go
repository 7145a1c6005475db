package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/metrics"
)

// A probe is what a request at /probe asks for.
type probe struct {
	command string
	args    []string
	limit   time.Duration
	debug   bool
}

// probe runs a check and answers with its metrics.
func (c Config) probe(w http.ResponseWriter, r *http.Request, who access.Identity) {
	p, err := parse(r)
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, err)
		return
	case !who.AllowsCommand(p.command):
		refuse(w, http.StatusForbidden, fmt.Errorf("user %s may not run %q: no role of the user names it in commands", who.User, p.command))
		return
	}
	result, took, err := p.run(r.Context(), c.Run, who)
	switch {
	case errors.Is(err, check.ErrUnknownCommand):
		refuse(w, http.StatusBadRequest, err)
		return
	case errors.Is(err, check.ErrBusy):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, err)
		return
	case err != nil:
		result = check.Unknown(err)
	}
	gathered := metrics.Probe(result, took)
	if p.debug {
		p.explain(w, result, took, gathered)
		return
	}
	Scrape(gathered, c.Log).ServeHTTP(w, r)
}

func (p probe) run(ctx context.Context, runner check.Runner, who access.Identity) (_ check.Result, took time.Duration, _ error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.limit, fmt.Errorf("stopped after %v, the time limit of this probe", p.limit))
	defer cancel()
	began := time.Now()
	result, err := runner.Run(ctx, check.Request{Command: p.command, Args: p.args, Origin: check.Probe, Allowed: who.AllowsCommand})
	return result, time.Since(began), err
}

// parse reads what a request asks for. Its errors are for who wrote the scrape
// configuration.
func parse(r *http.Request) (p probe, err error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return p, fmt.Errorf("the query cannot be read: %w", err)
	}
	for name := range query {
		if !slices.Contains([]string{"command", "arg", "debug"}, name) {
			return p, fmt.Errorf("parameter %.100q is unknown; want command, arg or debug", name)
		}
	}
	line, err := check.Split(query.Get("command"))
	switch {
	case err != nil:
		return p, fmt.Errorf("parameter command: %w", err)
	case len(line) == 0 || len(query["command"]) > 1:
		return p, errors.New("want one parameter command, such as /probe?command=check_http&arg=-H&arg=example.com")
	}
	p.command, p.args = line[0], append(line[1:], query["arg"]...)
	p.debug = query.Get("debug") == "true"
	p.limit, err = timeLimit(r.Header.Get(scrapeTimeout))
	return p, err
}

const (
	// scrapeTimeout is the header in which Prometheus says how many seconds it
	// waits for an answer.
	scrapeTimeout = "X-Prometheus-Scrape-Timeout-Seconds"
	// offset is what is left of them for the way there and back.
	offset = 500 * time.Millisecond
)

// timeLimit is how long a probe may take: what Prometheus says, less the offset,
// and at most maxTime.
func timeLimit(header string) (time.Duration, error) {
	if header == "" {
		return maxTime, nil
	}
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0) {
		return 0, fmt.Errorf("header %s: %.40q is no number of seconds", scrapeTimeout, header)
	}
	scrape := time.Duration(min(seconds, (maxTime+offset).Seconds()) * float64(time.Second))
	return min(maxTime, scrape-min(offset, scrape/2)), nil
}
