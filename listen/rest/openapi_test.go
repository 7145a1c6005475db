package rest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/wasmagent/wasmagent/listen/rest"
)

// spec is the OpenAPI document, which has to be valid itself.
func spec(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(rest.Spec())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestEveryRouteIsDescribed compares the routes with the document, both ways.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	var routes, described []string
	for _, r := range rest.Routes(newAgentry().Config) {
		routes = append(routes, r[0]+" "+strings.ReplaceAll(r[1], "...}", "}"))
	}
	for path, item := range spec(t).Paths.Map() {
		for verb := range item.Operations() {
			described = append(described, verb+" "+path)
		}
	}
	for _, r := range routes {
		if !slices.Contains(described, r) {
			t.Errorf("%s is not described", r)
		}
	}
	for _, d := range described {
		if !slices.Contains(routes, d) {
			t.Errorf("%s is described and not answered", d)
		}
	}
}

// described are requests whose answers are compared with the document; between
// them they reach every operation of it. What is after a space is the body.
var described = []struct {
	verb, path, body string
	status           int
}{
	{"GET", "/", "", 200},
	{"GET", "/core/isalive", "", 200},
	{"POST", "/core/reload", "", 200},
	{"GET", "/auth/token", "", 200},
	{"POST", "/auth/token", "", 200},
	{"GET", "/query/perf", "", 200},
	{"GET", "/query/missing?a&b=c", "", 200},
	{"GET", "/api", "", 200},
	{"GET", "/api/openapi.json", "", 200},
	{"GET", "/api/v1", "", 200},
	{"GET", "/api/v2", "", 200},
	{"GET", "/api/v1/info", "", 200},
	{"GET", "/api/v2/info/version", "", 200},
	{"GET", "/api/v2/login", "", 200},
	{"POST", "/api/v2/login", "", 200},
	{"DELETE", "/api/v2/login", "", 200},
	{"GET", "/api/v2/queries", "", 200},
	{"GET", "/api/v2/aliases", "", 200},
	{"GET", "/api/v2/queries/check_disk", "", 200},
	{"GET", "/api/v2/queries/none", "", 404},
	{"GET", "/api/v1/queries/perf/commands/execute", "", 200},
	{"GET", "/api/v1/queries/perf/commands/execute_nagios", "", 200},
	{"GET", "/api/v2/schedule", "", 200},
	{"GET", "/api/v2/schedule/disk", "", 200},
	{"GET", "/api/v2/schedule/web%2Fpage%201", "", 200},
	{"GET", "/api/v1/schedule/none", "", 404},
	{"POST", "/api/v2/schedule/disk/commands/run", "", 200},
	{"POST", "/api/v1/schedule/web%2Fpage%201/commands/run", "", 200},
	{"POST", "/api/v2/schedule/none/commands/run", "", 404},
	{"POST", "/api/v2/schedule/busy/commands/run", "", 503},
	{"GET", "/api/v2/modules?all=true", "", 200},
	{"GET", "/api/v2/modules/web", "", 200},
	{"GET", "/api/v2/modules/none", "", 404},
	{"PUT", "/api/v2/modules/web", `{"loaded":false}`, 200},
	{"PUT", "/api/v2/modules/web", `{"loaded":false}`, 200},
	{"PUT", "/api/v2/modules/web", `{`, 400},
	{"PUT", "/api/v2/modules/none", `{"loaded":true}`, 404},
	{"POST", "/api/v2/modules/new", "PK", 200},
	{"POST", "/api/v1/modules/new", "PK", 200},
	{"POST", "/api/v2/modules/new", "garbage", 422},
	{"POST", "/api/v1/modules/new", "garbage", 422},
	{"GET", "/api/v2/modules/web/commands/load", "", 200},
	{"GET", "/api/v1/modules/web/commands/unload", "", 200},
	{"GET", "/api/v2/modules/web/commands/enable", "", 200},
	{"GET", "/api/v2/modules/web/commands/disable", "", 500},
	{"GET", "/api/v1/modules/web/commands/disable", "", 500},
	{"GET", "/api/v2/scripts", "", 200},
	{"GET", "/api/v2/scripts/ext?all=true", "", 200},
	{"GET", "/api/v2/scripts/ext/check_x", "", 200},
	{"GET", "/api/v2/scripts/wasm/check_y", "", 200},
	{"GET", "/api/v2/scripts/py/gone", "", 404},
	{"GET", "/api/v2/settings", "", 200},
	{"GET", "/api/v2/settings/modules", "", 200},
	{"PUT", "/api/v2/settings/modules", `{}`, 403},
	{"DELETE", "/api/v2/settings/modules", "", 403},
	{"GET", "/api/v2/settings/status", "", 200},
	{"GET", "/api/v2/settings/diff", "", 200},
	{"POST", "/api/v2/settings/command", `{"command":"reload"}`, 200},
	{"POST", "/api/v2/settings/command", `{"command":"sing"}`, 400},
	{"POST", "/api/v2/reload", "", 200},
	{"GET", "/api/v2/logs", "", 200},
	{"GET", "/api/v2/logs?per_page=1", "", 400},
	{"GET", "/api/v2/logs/since?since=1", "", 200},
	{"GET", "/api/v2/logs/status", "", 200},
	{"DELETE", "/api/v2/logs/status", "", 200},
	{"DELETE", "/api/v2/logs", "", 200},
	{"GET", "/api/v2/events", "", 200},
	{"DELETE", "/api/v2/events", "", 200},
	{"GET", "/api/v2/metrics", "", 200},
	{"GET", "/api/v2/openmetrics", "", 200},
}

// TestAnswersAreAsDescribed asks everything of everybody, for JSON and for text,
// and compares what comes back with the document.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	doc := spec(t)
	reached := make(map[*openapi3.Operation]bool)
	for _, accept := range []string{"application/json", "text/plain"} {
		g := newAgentry()
		g.remember(t)
		h := rest.New(g.Config)
		for _, row := range described {
			for _, user := range []string{"", "disks", "admin"} {
				r := httptest.NewRequestWithContext(t.Context(), row.verb, row.path, strings.NewReader(row.body))
				r.Header.Set("Accept", accept)
				if user != "" {
					r.Header.Set("TOKEN", user+"-token")
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if status := w.Code; user == "admin" && accept == "application/json" && status != row.status {
					t.Errorf("%s %s: %d %s, want %d", row.verb, row.path, status, w.Body, row.status)
				}
				op, err := compare(t, doc, r, w)
				if err != nil {
					t.Errorf("%s %s by %q is %d %s\n%v", row.verb, row.path, user, w.Code, w.Body, err)
				}
				reached[op] = true
			}
		}
	}
	for path, item := range doc.Paths.Map() {
		for verb, op := range item.Operations() {
			if !reached[op] {
				t.Errorf("no request is for %s %s", verb, path)
			}
		}
	}
}

// compare holds an answer to what the document says of the request's operation.
func compare(t *testing.T, doc *openapi3.T, r *http.Request, w *httptest.ResponseRecorder) (*openapi3.Operation, error) {
	t.Helper()
	route, vars := operation(doc, r)
	if route == nil {
		return nil, fmt.Errorf("not described")
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: vars, Route: route},
		Status:                 w.Code,
		Header:                 w.Header(),
		Body:                   io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	return route.Operation, openapi3filter.ValidateResponse(t.Context(), input)
}

// operation finds the described operation of a request: of the paths that match
// the one with the fewest variables.
func operation(doc *openapi3.T, r *http.Request) (best *routers.Route, vars map[string]string) {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for path, item := range doc.Paths.Map() {
		pattern := strings.Split(path, "/")
		found := make(map[string]string)
		same := len(pattern) == len(segments)
		for i := 0; same && i < len(pattern); i++ {
			if strings.HasPrefix(pattern[i], "{") {
				found[strings.Trim(pattern[i], "{}")] = segments[i]
			} else {
				same = pattern[i] == segments[i]
			}
		}
		if op := item.GetOperation(r.Method); same && op != nil && (best == nil || len(found) < len(vars)) {
			best, vars = &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: op}, found
		}
	}
	return best, vars
}
