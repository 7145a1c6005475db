package rest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen/rest"
)

// The users of the tests: each has its name as its password, and "NAME-token" as
// its token.
var accounts = sync.OnceValue(func() *access.Accounts {
	var b strings.Builder
	b.WriteString("[roles.disks]\nallow = [\"GET /api/*/queries/**\", \"GET /query/*\", \"GET,POST /api/*/schedule/**\"]\ncommands = [\"check_disk*\", \"check_drivesize\"]\n")
	for user, role := range map[string]string{"admin": "full", "client": "client", "monitoring": "monitoring", "icinga": "monitoring", "disks": "disks"} {
		fmt.Fprintf(&b, "[users.%s]\npassword = %q\ntokens = [%q]\nroles = [%q]\n", user, cheap(user), access.DigestOf(user+"-token"), role)
	}
	a, err := access.Parse("users.toml", b.String())
	if err != nil {
		panic(err)
	}
	return a
})

// cheap is a hash of a password that takes next to no time to verify.
func cheap(password string) string {
	text, salt := base64.RawStdEncoding.EncodeToString, []byte("saltsalt")
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, text(salt), text(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)))
}

// An agentry is what the API is asked about in a test, with what it was told to do.
type agentry struct {
	rest.Config
	mu      sync.Mutex
	actions []rest.Action
	loaded  map[string]bool
	zips    map[string]string // uploaded
	runs    int               // of the scheduled check disk
}

// newAgentry has the commands and modules that the tests ask for.
func newAgentry() *agentry {
	g := &agentry{loaded: map[string]bool{"web": true}, zips: make(map[string]string)}
	g.Config = rest.Config{
		Version: "1.2.3",
		Run:     check.RunnerFunc(run),
		Users:   access.NewUsers(accounts()),
		Queries: func() []rest.Query {
			return []rest.Query{{Name: "check_disk", Module: "CheckSystem", Description: "disks"}, {Name: "check é/x", Module: "web", Title: "odd", Metadata: map[string]string{"file": "x.wasm"}}}
		},
		Schedule:   g.schedule,
		RunNow:     g.runNow,
		Modules:    g.modules,
		Load:       func(_ context.Context, name string) error { return g.set(name, true) },
		Unload:     func(_ context.Context, name string) error { return g.set(name, false) },
		Enable:     func(context.Context, string) error { return nil },
		Disable:    func(context.Context, string) error { return errors.New("config.toml is read-only") },
		Upload:     g.upload,
		UploadSize: 1 << 20,
		Scripts: func() []rest.Script {
			return []rest.Script{
				{Module: "web", File: "scripts/check_x.sh", Alias: "check_x", Provider: "CheckExternalScripts", Content: content("echo OK\n")},
				{Module: "web", File: "scripts/check_y.wasm", Alias: "check_y", Provider: "WasmScript", Content: content("\x00asm\xff")},
				{Module: "web", File: "scripts/gone.py", Alias: "gone", Provider: "PythonScript", Content: func() ([]byte, error) { return nil, fs.ErrNotExist }},
			}
		},
		Settings: func() []rest.Setting {
			return []rest.Setting{{Path: "/", Key: "ca", Value: "ca.pem"}, {Path: "/modules/web", Key: "enabled", Value: "true"},
				{Path: "/modules/web/env", Key: "PASSWORD", Value: "hidden", Secret: true}, {Path: "/modules/website", Key: "enabled", Value: "false"}}
		},
		Source: "/etc/wasmagent/config.toml",
		Reload: func(context.Context) error { return nil },
		Logs:   rest.NewLogs(),
		Events: rest.NewEvents(),
		Metrics: func() (map[string]float64, error) {
			return map[string]float64{"workers.jobs": 30, "u": math.NaN()}, nil
		},
		OpenMetrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "workers_jobs 1\n# EOF\n") }),
		Audit: func(a rest.Action) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.actions = append(g.actions, a)
		},
	}
	return g
}

func content(s string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(s), nil }
}

// run answers with the state that the first argument names, and the arguments as
// text.
func run(ctx context.Context, req check.Request) (check.Result, error) {
	if req.Origin != check.REST || ctx.Err() != nil {
		return check.Result{}, fmt.Errorf("origin %s, %v", req.Origin, ctx.Err())
	}
	switch req.Command {
	case "missing":
		return check.Result{}, check.ErrUnknownCommand
	case "check_drivesize":
		size := 100.0
		return check.Result{State: check.StateOK, Text: "OK: all drives are ok", Perf: []check.Perf{
			{Label: "/ used", Value: 41.5, Unit: "GB", Warn: &check.Range{End: 80}, Crit: &check.Range{End: 90}, Min: new(float64), Max: &size},
		}}, nil
	case "perf":
		low, high := 0.0, 1e9
		return check.Result{State: check.StateWarning, Text: "t", Long: "l1\nl2", Perf: []check.Perf{
			{Label: "a", Value: 30, Unit: "%", Warn: &check.Range{End: 80}, Crit: &check.Range{Start: 4, End: 5}, Min: &low, Max: &high},
			{Label: "b c", Value: 12884901888.5, Unit: "B", Warn: &check.Range{End: 13743895347}, Crit: &check.Range{Start: math.Inf(-1), End: 9, Inside: true}},
			{Label: "u", Value: math.NaN()},
		}}, nil
	}
	var state check.State
	if len(req.Args) > 0 {
		state.UnmarshalText([]byte(req.Args[0]))
	}
	return check.Result{State: state, Text: fmt.Sprintf("%s %q", req.Command, req.Args)}, nil
}

func (g *agentry) modules(all bool) []rest.Module {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := []rest.Module{{Name: "CheckSystem", Description: "the machine", State: "loaded", Builtin: true, Loaded: true, Enabled: true}}
	for _, m := range []rest.Module{
		{Name: "web", Title: "Web checks", Description: "for web services", Version: "1.2.0", Digest: strings.Repeat("ab", 32), Signer: "RWQ",
			Asked: []string{"/state/**"}, Uncovered: []string{"/state/**"}, Failed: []string{"check_x: boom"}, Commands: []string{"check_x"}, Enabled: true},
		{Name: "off", Title: "Off", Problem: "no such file"},
	} {
		if m.Loaded = g.loaded[m.Name]; m.Loaded {
			m.State = "degraded, restricted"
		} else {
			m.State = "unloaded"
		}
		if all || m.Loaded {
			list = append(list, m)
		}
	}
	return list
}

func (g *agentry) set(name string, loaded bool) error {
	switch name {
	case "web", "off", "CheckSystem":
	default:
		return fmt.Errorf("module %s: %w", name, fs.ErrNotExist)
	}
	if name == "CheckSystem" && !loaded {
		return &rest.Refusal{Status: http.StatusConflict, Err: errors.New("module web needs it")}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.loaded[name] = loaded
	return nil
}

func (g *agentry) upload(_ context.Context, name string, zip io.Reader, signature []byte) error {
	b, err := io.ReadAll(zip)
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(string(b), "PK"):
		return &rest.Refusal{Status: http.StatusUnprocessableEntity, Err: fmt.Errorf("%s.zip is no zip", name)}
	case strings.HasPrefix(string(b), "PK unsigned") && string(signature) != "untrusted comment: x\n":
		return &rest.Refusal{Status: http.StatusForbidden, Err: fmt.Errorf("%s.zip is not signed", name)}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.zips[name] = string(b)
	return nil
}

// told takes what Audit was told.
func (g *agentry) told() []rest.Action {
	g.mu.Lock()
	defer g.mu.Unlock()
	told := g.actions
	g.actions = nil
	return told
}

// serve serves it over TLS, HTTP/1.1 and HTTP/2.
func (g *agentry) serve(t testing.TB) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(rest.New(g.Config))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(func() {
		g.Events.Close()
		s.Close()
	})
	return s
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as a user; fields are names and values of headers.
func ask(t testing.TB, s *httptest.Server, user, verb, path, body string, fields ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), verb, s.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = "//" + r.Host + path // as it is
	if user != "" {
		r.Header.Set("Authorization", "Bearer "+user+"-token")
	}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", verb, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", verb, path, err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// get asks as the administrator and wants a status.
func get(t testing.TB, s *httptest.Server, path string, status int, fields ...string) answer {
	t.Helper()
	a := ask(t, s, "admin", "GET", path, "", fields...)
	if a.status != status {
		t.Errorf("GET %s: %d %s, want %d", path, a.status, a.body, status)
	}
	return a
}
