// Package prometheus answers Prometheus servers: /metrics with the agent's
// figures and the last results of its scheduled checks, and /probe with the
// result of a check that is run for the scrape, in the manner of the blackbox
// exporter (https://github.com/prometheus/blackbox_exporter).
//
// Guarantees:
//
//   - A request is answered only if the user's roles grant its verb and path,
//     and at /probe the name of the command. The page at / tells nothing about
//     the machine, and is for everybody.
//   - No check is run for the page of another site that a browser shows.
//   - A check that cannot be run is a probe that did not succeed. An agent
//     without room for it, or without the command, answers no metrics at all:
//     that is no news of what the check watches.
//   - A probe ends before the time that Prometheus gives the scrape, and has a
//     registry of its own, which goes with it.
//
// The handler is safe for concurrent use; so must be what the Config holds.
// Bounds of connections and of requests in flight are the listener's.
package prometheus

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
)

// maxTime is the longest that a probe takes.
const maxTime = time.Minute

// maxScrapes is how many requests a Scrape answers at one time; the next is
// answered 503.
const maxScrapes = 8

// Config is what the handler is made of. Every field is needed that does not say
// otherwise.
type Config struct {
	// Metrics are the agent's.
	Metrics prometheus.Gatherer
	// Run runs the checks of probes.
	Run check.Runner
	// Authenticate says who sends a request. It is answered 401 if that is an
	// error, 429 if it is access.ErrThrottled.
	Authenticate func(*http.Request) (access.Identity, error)
	// Anonymous lets who sends no credentials (access.ErrNone) read /metrics.
	Anonymous bool
	// Log hears of figures that could not be gathered. Nil is slog.Default.
	Log *slog.Logger
}

// New returns the handler.
func New(c Config) http.Handler {
	c.Log = cmp.Or(c.Log, slog.Default())
	scrape := Scrape(c.Metrics, c.Log)
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", index)
	routes.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := c.admit(w, r, c.Anonymous); ok {
			scrape.ServeHTTP(w, r)
		}
	})
	routes.HandleFunc("GET /probe", func(w http.ResponseWriter, r *http.Request) {
		if access.FromOtherSite(r) {
			refuse(w, http.StatusForbidden, errors.New("the page of another site may not have a check run here"))
		} else if who, ok := c.admit(w, r, false); ok {
			c.probe(w, r, who)
		}
	})
	return routes
}

// Scrape answers whatever is asked of it, by whomever, with metrics in the format
// that the client prefers: OpenMetrics or the text format of Prometheus. What could
// not be gathered is logged and left out.
func Scrape(g prometheus.Gatherer, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
	})
}

// admit tells who asks, and whether he may; it has answered whoever may not.
func (c Config) admit(w http.ResponseWriter, r *http.Request, anonymous bool) (who access.Identity, ok bool) {
	who, err := c.Authenticate(r)
	switch {
	case errors.Is(err, access.ErrNone) && anonymous:
		return who, true
	case errors.Is(err, access.ErrThrottled):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, err)
	case err != nil:
		w.Header().Add("WWW-Authenticate", `Basic realm="wasmagent", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", `Bearer realm="wasmagent"`)
		refuse(w, http.StatusUnauthorized, err)
	case !who.Allows(r.Method, r.URL.Path):
		refuse(w, http.StatusForbidden, fmt.Errorf("user %s may not %s %s: no role of the user grants it", who.User, r.Method, r.URL.Path))
	default:
		return who, true
	}
	return access.Identity{}, false
}

// refuse answers with the reason as plain text.
func refuse(w http.ResponseWriter, status int, reason error) { http.Error(w, reason.Error(), status) }

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!DOCTYPE html>
<html lang="en">
<head><title>wasmagent</title></head>
<body>
<h1>wasmagent</h1>
<p><a href="metrics">Metrics</a>: the agent's figures and the last results of its scheduled checks</p>
<p><a href="probe?command=check_uptime&amp;debug=true">Probe</a>: run a check, here check_uptime, and show what comes of it</p>
</body>
</html>
`)
}
