package rest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/wasmagent/wasmagent/access"
)

// A request is one request with what its route and its credentials say.
type request struct {
	*http.Request
	path string            // as grants are about it
	vars map[string]string // of the route's pattern
	who  access.Identity
}

// v1 tells whether the request is to version 1 of the API.
func (q *request) v1() bool { return q.vars["version"] == "v1" }

// host is what the URLs in answers begin with.
func (q *request) host() string {
	switch {
	case q.Host == "":
		return ""
	case q.TLS != nil:
		return "https://" + q.Host
	}
	return "http://" + q.Host
}

// url is the URL of a path below the version of the API that was asked.
func (q *request) url(segments ...string) string {
	var b strings.Builder
	b.WriteString(q.host() + "/api/" + q.vars["version"])
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// arguments are those of a command: "k=v" of a pair, and "k" of one without a
// value, in their order.
func (q *request) arguments() []string {
	var args []string
	for pair := range strings.SplitSeq(q.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if value != "" {
			key += "=" + value
		}
		if key != "" {
			args = append(args, unescape(key))
		}
	}
	return args
}

// unescape decodes a part of a query. A "%" that begins no code is itself, as in
// what people type: warn=load>80%.
func unescape(s string) string {
	var b strings.Builder
	for n := 0; s != ""; s = s[n:] {
		c := s[:1]
		n = 1
		if c == "+" {
			c = " "
		} else if code, err := url.PathUnescape(s[:min(len(s), 3)]); c == "%" && err == nil {
			c, n = code, 3
		}
		b.WriteString(c)
	}
	return b.String()
}

// wantsText tells whether the client prefers plain text to JSON.
func (q *request) wantsText() bool {
	return accepts(q.Header, "application/json", "text/plain") == "text/plain"
}

// ServeHTTP answers a request.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := a.respond(w, r)
	if _, endless := h.(*stream); !endless {
		h = gzhttp.GzipHandler(h)
	}
	h.ServeHTTP(w, r)
}

// respond finds the answer of a request. Its body is bounded in w's name.
func (a *api) respond(w http.ResponseWriter, r *http.Request) http.Handler {
	segments, err := splitPath(r.URL.EscapedPath())
	if err != nil {
		return problem(http.StatusBadRequest, "path %q: %v; encode it", r.URL.EscapedPath(), err)
	}
	t, allow := a.find(r.Method, segments)
	q := &request{Request: r.WithContext(r.Context()), path: joinPath(segments), vars: t.vars(segments)}
	q.Body = http.MaxBytesReader(w, r.Body, cmp.Or(t.body, MaxBody)) // of a copy: net/http wants its own back
	switch {
	case len(allow) > 0:
		return notAllowed(q, allow)
	case t.answer == nil:
		return problem(http.StatusNotFound, "%s: there is nothing here; see %s/api/openapi.json", q.path, q.host())
	case t.kind == public:
		return t.answer(q)
	case (t.kind == acts || t.kind == changes) && access.FromOtherSite(r):
		return refusal(r, http.StatusForbidden, "the page of another site may not have anything done here")
	}
	if refusal := a.admit(q, t); refusal != nil {
		return refusal
	}
	if t.body > 0 {
		// A listener without deadlines has none to set.
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	}
	return t.answer(q)
}

// admit refuses who may not ask; nil admits. A known user who tries to change
// something is audited.
func (a *api) admit(q *request, t route) http.Handler {
	who, err := a.Users.Authenticate(q.Context(), access.FromRequest(q.Request))
	switch {
	case errors.Is(err, access.ErrThrottled):
		return throttled(q.Request, err)
	case err != nil:
		return unauthorized(q.Request, err)
	}
	q.who = who
	if who.Allows(q.Method, q.path) {
		return nil
	}
	err = fmt.Errorf("user %s may not %s %s: no role of the user grants it", who.User, q.Method, q.path)
	if t.kind == changes {
		a.audit(q, Action{Name: q.Method + " " + q.path, Err: err})
	}
	return refusal(q.Request, http.StatusForbidden, err.Error())
}
