// Package rest is the agent's REST API: a web server's handler between requests
// over HTTP and the agent's commands, modules, settings, logs and events.
//
// Its paths, documents, status codes and arguments are those of NSClient++, so
// that check_nsc_web, Icinga's check_nscp_api and people's own scripts go on
// working: https://nsclient.org/docs/api/rest/. Where NSClient++ errs, it does not
// follow. Everything that it answers is described by the OpenAPI document at
// /api/openapi.json.
//
// Guarantees:
//
//   - A request is answered only if the user's roles grant its verb and path, and
//     of a command its name. Without credentials there is an answer to /, to
//     /core/isalive and to /api/openapi.json, which tell nothing about the machine.
//   - What a request can make the agent keep in memory is bounded: bodies, uploads,
//     pages of the log, streams of events.
//   - A check that cannot be run is UNKNOWN, never OK, whatever the form of the
//     answer.
//   - Nothing is done for the page of another site that a browser shows: no command
//     is run, nobody logs in, nothing changes.
//   - Every request that changes something is told to Config.Audit, with what came
//     of it.
//
// The handler is safe for concurrent use; so must be what the Config holds. It
// starts no goroutine. Bounds of connections, of requests in flight and of time
// are the listener's.
package rest

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
)

// The default of Config.Upload, and the bound of every other body, in bytes.
const (
	DefaultUploadSize = 64 << 20
	MaxBody           = 64 << 10
)

// uploadTime is how long an upload may take to arrive.
const uploadTime = 10 * time.Minute

// Config is what the API is made of. Every field is needed that does not say
// otherwise.
//
// The functions that change something return errors for people, which are part of
// the answer. One that holds a *Refusal is answered with its status, every other
// one with 500.
type Config struct {
	// Version is the agent's.
	Version string
	// Run answers the requests of commands.
	Run check.Runner
	// Users says who sends a request: see access.FromRequest for how.
	Users *access.Users

	// Queries lists the commands, and Aliases what stands for a command with
	// arguments. Nil is none.
	Queries, Aliases func() []Query
	// Schedule lists the scheduled checks. Nil is none.
	Schedule func() []Scheduled
	// RunNow runs one of them, so that the run counts like those at its times.
	RunNow func(ctx context.Context, name string) (check.Event, error)
	// Modules lists the modules: those that are loaded or, if all is set, also those
	// that could be.
	Modules func(all bool) []Module
	// Load and Unload change what is loaded, Enable and Disable what will be at the
	// next start.
	Load, Unload, Enable, Disable func(ctx context.Context, module string) error
	// Upload reads a module's zip, verifies it by the trust policy, installs and
	// loads it in place of the one of its name. The signature is the file of minisign,
	// nil if there is none. After an error nothing is left. The reader fails beyond
	// UploadSize bytes; zero is DefaultUploadSize.
	Upload     func(ctx context.Context, module string, zip io.Reader, signature []byte) error
	UploadSize int64
	// Scripts lists the scripts of the loaded modules.
	Scripts func() []Script

	// Settings lists what the configuration says, and Source is the file's name.
	Settings func() []Setting
	Source   string
	// Reload reads the configuration again.
	Reload func(context.Context) error

	// Logs is the end of the agent's log, and Events are its last events.
	Logs   *Logs
	Events *Events
	// Metrics are the agent's figures by their names, and OpenMetrics answers with
	// them in the format of Prometheus.
	Metrics     func() (map[string]float64, error)
	OpenMetrics http.Handler

	// Audit hears of every request to change something.
	Audit func(Action)
}

// A Refusal is an error that is answered with a status of its own.
type Refusal struct {
	Status int // 400 to 599
	Err    error
}

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// api answers requests by its routes.
type api struct {
	Config
	routes []route
}

// New returns the handler of the API.
func New(c Config) http.Handler {
	c.UploadSize = cmp.Or(c.UploadSize, DefaultUploadSize)
	a := &api{Config: c}
	a.routes = a.table()
	for i := range a.routes {
		a.routes[i].segments = strings.Split(a.routes[i].pattern, "/")[1:]
	}
	return a
}
