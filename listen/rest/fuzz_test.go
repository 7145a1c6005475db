package rest_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen/rest"
)

// FuzzRequest sends any request, and holds its answer to what every answer is:
// what its content type says, and without good credentials nothing but what
// everybody may know.
func FuzzRequest(f *testing.F) {
	for _, row := range asked {
		f.Add(row.verb, row.path, "", "Bearer "+row.user+"-token", "", "")
	}
	for _, row := range described {
		f.Add(row.verb, row.path, row.body, "Basic YWRtaW46YWRtaW4=", "application/json", "application/json")
	}
	f.Add("GET", "/query/c?a=%&b=%zz&%41=+&&=&;", "", "Bearer admin-token", "text/plain;q=0.5, */*;q=x", "")
	f.Add("GET", "/api/v2/events?since=18446744073709551615", "", "Bearer admin-token", "text/event-stream", "")
	f.Add("GET", "/api/v2/logs/since?since=-1&page=1e9&per_page=%00", "", "bearer  admin-token ", "", "")
	f.Add("POST", "/api/v2/modules/%2e%2e%2fx", "PK", "Basic !", "", "application/zip; x=\"")
	f.Add("GET", "//..//%2e%2e/api/v1/%2f/", "", "Digest x", "\x00", "multipart/form-data")
	g := newAgentry()
	g.remember(f)
	g.Events.Close() // streams end
	h := rest.New(g.Config)
	f.Fuzz(func(t *testing.T, verb, target, body, authorization, accept, contentType string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return // net/http has answered
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", strings.NewReader(body))
		r.Method, r.URL = verb, u
		r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(rand.Uint32()), byte(rand.Uint32()), 1}), 1).String()
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Accept", accept)
		r.Header.Set("Content-Type", contentType)
		_, err = g.Users.Authenticate(t.Context(), access.FromRequest(r))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		sound(t, w)
		if known := slices.Contains(public, strings.TrimRight(u.Path, "/")); err != nil && !known && w.Code < 400 {
			t.Errorf("%s %s of nobody is %d %s", verb, target, w.Code, w.Body)
		}
	})
}

// public are the paths that everybody may ask for.
var public = []string{"", "/core/isalive", "/api/openapi.json"}

// sound checks what every answer is.
func sound(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code < 200 || w.Code > 599 || http.StatusText(w.Code) == "" {
		t.Errorf("status %d", w.Code)
	}
	switch kind := w.Header().Get("Content-Type"); {
	case kind == "application/json" && !json.Valid(w.Body.Bytes()):
		t.Errorf("%d: no JSON: %q", w.Code, w.Body)
	case kind == "" && w.Body.Len() > 0 && w.Code != http.StatusOK: // openmetrics has none here
		t.Errorf("%d: a body of no type: %q", w.Code, w.Body)
	}
	if w.Code >= 400 && w.Body.Len() == 0 {
		t.Errorf("%d without a reason", w.Code)
	}
}

// FuzzArguments encodes two arguments as clients do and wants them back, whatever
// is in them.
func FuzzArguments(f *testing.F) {
	f.Add("warn", "load > 80%", "show-all", "")
	f.Add("", "x", "a&b=c", "+%2B")
	f.Add("ä\x00", "\xff;", "%", "=")
	var got []string
	g := newAgentry()
	g.Run = check.RunnerFunc(func(_ context.Context, r check.Request) (check.Result, error) {
		got = r.Args
		return check.Result{}, nil
	})
	h := rest.New(g.Config)
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		var query, want []string
		for _, a := range [][2]string{{k1, v1}, {k2, v2}} {
			if a[0] == "" && a[1] == "" {
				continue
			}
			arg := a[0]
			if a[1] != "" {
				arg += "=" + a[1]
			}
			query, want = append(query, url.QueryEscape(a[0])+"="+url.QueryEscape(a[1])), append(want, arg)
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/query/c", nil)
		r.URL.RawQuery = strings.Join(query, "&")
		r.Header.Set("TOKEN", "admin-token")
		h.ServeHTTP(httptest.NewRecorder(), r)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", r.URL.RawQuery, got, want)
		}
	})
}
