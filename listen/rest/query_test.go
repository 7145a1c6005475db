package rest_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestArguments sends queries as clients write them.
func TestArguments(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for query, want := range map[string]string{
		"":                               `[]`,
		"?":                              `[]`,
		"?a":                             `["a"]`,
		"?a=":                            `["a"]`,
		"?a=b":                           `["a=b"]`,
		"?b&a=1&b=&a=2":                  `["b" "a=1" "b" "a=2"]`,
		"?&&a&=&":                        `["a"]`,
		"?=b":                            `["=b"]`,
		"?a=b=c&d==":                     `["a=b=c" "d=="]`,
		"?warn=load+%3E%2080":            `["warn=load > 80"]`,
		"?warn=free<15%&x=%zz&y=%4":      `["warn=free<15%" "x=%zz" "y=%4"]`,
		"?%61%3D1=%26%25%2B":             `["a=1=&%+"]`,
		"?x=%C3%A4&y=ä":                  `["x=ä" "y=ä"]`,
		"?x=;y'\"`$(x)":                  "[\"x=;y'\\\"`$(x)\"]",
		"?x=%00%ff":                      `["x=\x00\xff"]`,
		"?password=p&X-Method=1&all":     `["password=p" "X-Method=1" "all"]`,
		"?" + strings.Repeat("a&", 1000): `[` + strings.TrimSpace(strings.Repeat(`"a" `, 1000)) + `]`,
	} {
		for _, path := range []string{"/api/v1/queries/c/commands/execute", "/api/v2/queries/c/commands/execute_nagios/", "/query/c"} {
			a := get(t, s, path+query, http.StatusServiceUnavailable, "Accept", "text/plain")
			if a.body != "c "+want+"\n" {
				t.Errorf("%s%.60s: %.100s, want %.100s", path, query, a.body, want)
			}
		}
	}
}

// TestResults has the three forms of a result to the letter.
func TestResults(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	const message = `"message":"t\nl1\nl2"`
	const a = `{"value":30,"unit":"%","warning":80,"critical":"4:5","minimum":0,"maximum":1000000000}`
	const b = `{"value":12884901888.5,"unit":"B","warning":"13743895347","critical":"@~:9"}`
	const u = `{"value":"U","unit":""}`
	for path, want := range map[string]string{
		"/api/v1/queries/perf/commands/execute":        `{"command":"perf","result":1,"lines":[{` + message + `,"perf":{"a":` + a + `,"b c":` + b + `,"u":` + u + `}}]}`,
		"/api/v2/queries/perf/commands/execute_nagios": `{"command":"perf","result":"WARNING","lines":[{` + message + `,"perf":"a=30%;80;4:5;0;1000000000 'b c'=12884901888.5B;13743895347;@~:9 u=U"}]}`,
		"/query/perf": `{"payload":[{"command":"perf","result":"WARNING","lines":[{` + message + `,"perf":[{"alias":"a","float_value":` + a +
			`},{"alias":"b c","float_value":` + b + `},{"alias":"u","float_value":` + u + `}]}]}]}`,
		"/api/v1/queries/missing/commands/execute":        `{"command":"missing","result":3,"lines":[{"message":"no such command","perf":{}}]}`,
		"/api/v2/queries/missing/commands/execute_nagios": `{"command":"missing","result":"UNKNOWN","lines":[{"message":"no such command","perf":""}]}`,
		"/query/missing/":            `{"payload":[{"command":"missing","result":"UNKNOWN","lines":[{"message":"no such command","perf":[]}]}]}`,
		"/query/a%20b%2Fc%25?OK&x=<": `{"payload":[{"command":"a b/c%","result":"OK","lines":[{"message":"a b/c% [\"OK\" \"x=<\"]","perf":[]}]}]}`,
	} {
		if a := get(t, s, path, http.StatusOK); a.body != want+"\n" || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s %s\nwant %s", path, a.header.Get("Content-Type"), a.body, want)
		}
	}
}

func TestTextAnswers(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for state, status := range map[string]int{"OK": 200, "WARNING": 202, "CRITICAL": 500, "UNKNOWN": 503} {
		for _, path := range []string{"/api/v1/queries/c/commands/execute?", "/api/v2/queries/c/commands/execute_nagios?", "/query/c?"} {
			a := get(t, s, path+state, status, "Accept", "text/plain")
			if want := `c ["` + state + "\"]\n"; a.body != want || a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: %s %q, want %q", path+state, a.header.Get("Content-Type"), a.body, want)
			}
		}
	}
	a := get(t, s, "/api/v2/queries/perf/commands/execute", http.StatusAccepted, "Accept", "text/plain")
	if want := "t|a=30%;80;4:5;0;1000000000 'b c'=12884901888.5B;13743895347;@~:9 u=U\nl1\nl2\n"; a.body != want {
		t.Errorf("%q, want %q", a.body, want)
	}
	get(t, s, "/api/v2/queries/missing/commands/execute", http.StatusServiceUnavailable, "Accept", "text/plain")
}

func TestAccept(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for accept, text := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/plain": true, "TEXT/plain": true,
		"text/plain, application/json": false, "text/plain, application/json;q=0.9": true, "application/json;q=0.1, text/*": true,
		"text/plain;q=0.5, */*": false, "text/plain;q=0": false, "text/plain;q=x": false, "image/png": false, "text/plain; charset=utf-8": true,
		"text/plain;q=0, text/*": false, "*/*, application/json;q=0": true, ";;,,/": false,
	} {
		a := ask(t, s, "admin", "GET", "/query/c?OK", "", "Accept", accept)
		if got := strings.HasPrefix(a.header.Get("Content-Type"), "text/plain"); got != text {
			t.Errorf("Accept %q: %s", accept, a.header.Get("Content-Type"))
		}
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	url := s.URL + "/api/v1/queries/"
	for path, want := range map[string]string{
		"/api/v1/queries": `[{"name":"check_disk","plugin":"CheckSystem","query_url":"` + url + `check_disk","title":"check_disk","metadata":{},"description":"disks"},` +
			`{"name":"check é/x","plugin":"web","query_url":"` + url + `check%20%C3%A9%2Fx","title":"odd","metadata":{"file":"x.wasm"},"description":""}]`,
		"/api/v1/queries/CHECK_DISK/": `{"name":"check_disk","plugin":"CheckSystem","title":"check_disk","execute_url":"` + url + `check_disk/commands/execute",` +
			`"execute_nagios_url":"` + url + `check_disk/commands/execute_nagios","metadata":{},"description":"disks"}`,
		"/api/v1/aliases/?all=true": `[]`,
	} {
		if a := get(t, s, path, http.StatusOK); a.body != want+"\n" {
			t.Errorf("%s: %s\nwant %s", path, a.body, want)
		}
	}
	a := get(t, s, "/api/v2/queries/nope", http.StatusNotFound)
	if want := `{"error":"there is no query \"nope\"; see ` + s.URL + `/api/v2/queries"}` + "\n"; a.body != want {
		t.Errorf("%s, want %s", a.body, want)
	}
	get(t, s, "/api/v1/queries/check%20%C3%A9%2Fx", http.StatusOK)
	get(t, s, "/api/v2/queries/x/commands/other", http.StatusNotFound)
}

func TestAliases(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	g.Aliases = g.Queries
	g.Queries = nil
	s := g.serve(t)
	if a := get(t, s, "/api/v2/aliases", http.StatusOK); !strings.Contains(a.body, `/api/v2/queries/check_disk"`) {
		t.Error(a.body)
	}
	get(t, s, "/api/v2/queries/check_disk", http.StatusOK)
}
