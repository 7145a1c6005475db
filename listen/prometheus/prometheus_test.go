package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen/prometheus"
	"github.com/wasmagent/wasmagent/metrics"
)

// tokens are those of users who may do everything, run checks whose names begin
// with check_d, and see the API's own paths.
const (
	admin   = "token-of-the-admin"
	disks   = "token-of-the-disks"
	nothing = "token-of-nothing"
)

func authenticate(t testing.TB) func(*http.Request) (access.Identity, error) {
	t.Helper()
	accounts, err := access.Parse("users.toml", fmt.Sprintf(`
		[roles.disks]
		allow = ["GET /probe"]
		commands = ["check_d*"]
		[roles.nothing]
		allow = ["GET /api/**"]
		[users.admin]
		roles = ["full"]
		tokens = [%q]
		[users.disks]
		roles = ["disks"]
		tokens = [%q]
		[users.nothing]
		roles = ["nothing"]
		tokens = [%q]
	`, access.DigestOf(admin), access.DigestOf(disks), access.DigestOf(nothing)))
	if err != nil {
		t.Fatal(err)
	}
	users := access.NewUsers(accounts)
	return func(r *http.Request) (access.Identity, error) {
		return users.Authenticate(r.Context(), access.FromRequest(r))
	}
}

// run answers with what it was asked. Commands that begin with "no" cannot be run.
func run(ctx context.Context, req check.Request) (check.Result, error) {
	switch req.Command {
	case "no_room":
		return check.Result{}, fmt.Errorf("%w: 256", check.ErrBusy)
	case "no_command":
		return check.Result{}, fmt.Errorf("%w: did you mean check_disk?", check.ErrUnknownCommand)
	case "no_time":
		<-ctx.Done()
		return check.Result{}, context.Cause(ctx)
	case "no_luck":
		return check.Result{}, errors.New("the module is broken")
	}
	return check.Result{State: check.StateWarning, Text: fmt.Sprintf("%s %q for %s", req.Command, req.Args, req.Origin), Perf: []check.Perf{
		{Label: "args", Value: float64(len(req.Args))},
	}}, nil
}

func handler(t testing.TB, edit ...func(*prometheus.Config)) http.Handler {
	t.Helper()
	c := prometheus.Config{Metrics: metrics.New(metrics.Config{Version: "v1.2.3"}), Run: check.RunnerFunc(run), Authenticate: authenticate(t)}
	for _, e := range edit {
		e(&c)
	}
	return prometheus.New(c)
}

// get asks for a path; headers are names and values.
func get(t testing.TB, h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func wantAnswer(t testing.TB, w *httptest.ResponseRecorder, status int, texts ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d", w.Code, status)
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("there is no %q in\n%s", text, w.Body)
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	h, open := handler(t), handler(t, func(c *prometheus.Config) { c.Anonymous = true })
	for _, row := range []struct {
		path, token    string
		status, opened int // with Anonymous
		text           string
	}{
		{"/", "", 200, 200, `href="metrics"`},
		{"/metrics", "", 401, 200, ""},
		{"/metrics", "wrong", 401, 401, "wrong credentials"},
		{"/metrics", admin, 200, 200, "wasmagent_build_info"},
		{"/metrics", disks, 403, 403, "user disks may not GET /metrics: no role of the user grants it"},
		{"/probe?command=check_disk", "", 401, 401, "no credentials"},
		{"/probe?command=check_disk", nothing, 403, 403, "user nothing may not GET /probe"},
		{"/probe?command=check_disk", disks, 200, 200, "probe_state 1"},
		{"/probe?command=CHECK_Disk", disks, 200, 200, "probe_state 1"},
		{"/probe?command=check_http", disks, 403, 403, `user disks may not run "check_http"`},
		{"/probe?command=check_http", admin, 200, 200, "probe_state 1"},
		{"/elsewhere", admin, 404, 404, ""},
		{"/metrics/", admin, 404, 404, ""},
	} {
		t.Run(row.path+" "+row.token, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if row.token != "" {
				headers = []string{"Authorization", "Bearer " + row.token}
			}
			wantAnswer(t, get(t, h, row.path, headers...), row.status, row.text)
			wantAnswer(t, get(t, open, row.path, headers...), row.opened)
		})
	}
}

// TestOtherSites has a browser ask for the page of another site.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	h := handler(t)
	for site, status := range map[string]int{"": 200, "none": 200, "same-origin": 200, "same-site": 403, "cross-site": 403} {
		wantAnswer(t, get(t, h, "/probe?command=check_disk", "Authorization", "Bearer "+admin, "Sec-Fetch-Site", site), status)
		wantAnswer(t, get(t, h, "/metrics", "Authorization", "Bearer "+admin, "Sec-Fetch-Site", site), 200)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	w := get(t, handler(t), "/metrics")
	if got := w.Header().Values("WWW-Authenticate"); !slices.Equal(got, []string{`Basic realm="wasmagent", charset="UTF-8"`, `Bearer realm="wasmagent"`}) {
		t.Errorf("WWW-Authenticate: %q", got)
	}
	throttled := handler(t, func(c *prometheus.Config) {
		c.Authenticate = func(*http.Request) (access.Identity, error) { return access.Identity{}, access.ErrThrottled }
	})
	w = get(t, throttled, "/metrics")
	wantAnswer(t, w, http.StatusTooManyRequests, access.ErrThrottled.Error())
	if got := w.Header().Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After: %q", got)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/probe?command=check_disk", strings.NewReader("x"))
	w = httptest.NewRecorder()
	handler(t).ServeHTTP(w, r)
	wantAnswer(t, w, http.StatusMethodNotAllowed)
	if got := w.Header().Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow: %q", got)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"": "text/plain; version=0.0.4",
		"application/openmetrics-text; version=1.0.0": "application/openmetrics-text; version=1.0.0",
	} {
		for _, path := range []string{"/metrics", "/probe?command=check_disk"} {
			w := get(t, handler(t), path, "Authorization", "Bearer "+admin, "Accept", accept)
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, want) {
				t.Errorf("%s, Accept: %q: type %q, want %q", path, accept, got, want)
			}
		}
	}
	w := get(t, handler(t), "/metrics", "Authorization", "Bearer "+admin, "Accept-Encoding", "gzip")
	if got := w.Header().Get("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding: %q, want gzip", got)
	}
}

// probeRows are queries at /probe with what they are answered.
var probeRows = []struct {
	query, seconds string
	status         int
	text           string
}{
	{"command=check_disk", "", 200, "probe_success 0\n"},
	{"command=check_disk&arg=-w&arg=80%25", "", 200, `probe_perf_value{label="args",unit=""} 2`},
	{`command=check_disk+-w+"a+b"&arg=-c`, "", 200, `probe_perf_value{label="args",unit=""} 3`},
	{"command=check_disk&debug=true", "", 200, "\nTime limit: 1m0s\n"},
	{"command=check_disk&debug=true", "10", 200, "\nTime limit: 9.5s\n"},
	{"command=check_disk&debug=true", "0.8", 200, "\nTime limit: 400ms\n"},
	{"command=check_disk&debug=true", "1e300", 200, "\nTime limit: 1m0s\n"},
	{"command=check_disk&debug=true", "+Inf", 200, "\nTime limit: 1m0s\n"},
	{"command=check_disk", "NaN", 400, `header X-Prometheus-Scrape-Timeout-Seconds: "NaN" is no number of seconds`},
	{"command=check_disk", "-1", 400, `"-1" is no number of seconds`},
	{"command=check_disk", "soon", 400, `"soon" is no number of seconds`},
	{"", "", 400, "want one parameter command"},
	{"command=", "", 400, "want one parameter command"},
	{"command=check_disk&command=check_load", "", 400, "want one parameter command"},
	{`command="check_disk`, "", 400, "the quote at column 1 is not closed"},
	{"command=check_disk&args=-w", "", 400, `parameter "args" is unknown; want command, arg or debug`},
	{"command=%zz", "", 400, "the query cannot be read"},
	{"command=check_disk;arg=1", "", 400, "the query cannot be read"},
	{"command=no_command", "", 400, "no such command: did you mean check_disk?"},
	{"command=no_room", "", 503, "too many checks are running: 256"},
	{"command=no_luck", "", 200, "probe_state 3\n"},
	{"command=no_time", "0.01", 200, "probe_state 3\n"},
	{"command=no_time&debug=true", "0.01", 200, "stopped after 5ms, the time limit of this probe"},
	{"command=check_disk&arg=%0A&debug=true", "", 200, "Command:    check_disk\nArguments:  \"\\n\"\nTime limit: 1m0s\n"},
	{"command=check_disk&debug=true", "", 200, "State:      WARNING\n\nOutput:\n\ncheck_disk [] for probe|args=0\n"},
	{"command=check_disk&debug=true", "", 200, "\n# HELP probe_state"},
}

func TestProbe(t *testing.T) {
	t.Parallel()
	h := handler(t)
	for _, row := range probeRows {
		t.Run(row.query+" "+row.seconds, func(t *testing.T) {
			t.Parallel()
			headers := []string{"Authorization", "Bearer " + admin}
			if row.seconds != "" {
				headers = append(headers, "X-Prometheus-Scrape-Timeout-Seconds", row.seconds)
			}
			wantAnswer(t, get(t, h, "/probe?"+row.query, headers...), row.status, row.text)
		})
	}
}

func FuzzProbe(f *testing.F) {
	for _, row := range probeRows {
		f.Add(row.query, row.seconds)
	}
	h := handler(f, func(c *prometheus.Config) {
		c.Run = check.RunnerFunc(func(ctx context.Context, req check.Request) (check.Result, error) {
			at, ok := ctx.Deadline()
			if left := time.Until(at); !ok || left > time.Minute || req.Command == "" || req.Origin != check.Probe {
				f.Errorf("%+v runs for %v", req, left)
			}
			return check.Decode([]byte(strings.Join(append(req.Args, req.Command), "\n")), 0), nil
		})
	})
	f.Fuzz(func(t *testing.T, query, seconds string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/probe", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+admin)
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", seconds)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%q, %q: status %d", query, seconds, w.Code)
		}
		if ok := strings.Contains(w.Body.String(), "probe_duration_seconds"); ok != (w.Code == http.StatusOK) {
			t.Errorf("%q, %q: status %d, but metrics: %v", query, seconds, w.Code, ok)
		}
	})
}
