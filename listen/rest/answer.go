package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// The types of what is answered. check_nscp_api wants the first one to the letter.
const (
	typeJSON = "application/json"
	typeText = "text/plain; charset=utf-8"
)

// write answers with a whole body.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body) // an error is the client's, who has gone
}

// document answers with JSON.
func document(status int, v any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			b.Reset()
			status = http.StatusInternalServerError
			fmt.Fprintf(&b, "{\"error\":%q}\n", "the answer cannot be written as JSON")
		}
		write(w, status, typeJSON, b.Bytes())
	})
}

// text answers with plain text.
func text(status int, s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		write(w, status, typeText, []byte(s))
	})
}

// problem answers with what went wrong, in the form that check_nscp_api shows.
func problem(status int, format string, args ...any) http.Handler {
	return document(status, problemJSON{fmt.Sprintf(format, args...)})
}

type problemJSON struct {
	Error string `json:"error"`
}

// with sets headers of an answer, given as names and values.
func with(h http.Handler, headers ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		h.ServeHTTP(w, r)
	})
}

// Refuse answers a request that the listener does not serve, for the reason that
// it gives. It is the Refuse of a listen.HTTP.
func Refuse(w http.ResponseWriter, r *http.Request, status int, reason error) {
	refusal(r, status, reason.Error()).ServeHTTP(w, r)
}

// refusal answers who may not ask, so that a client that wanted a result has an
// UNKNOWN with the reason: check_nscp_api shows nothing else.
func refusal(r *http.Request, status int, reason string) http.Handler {
	command, legacy := strings.CutPrefix(r.URL.Path, "/query/")
	switch {
	case (&request{Request: r}).wantsText():
		return text(status, reason+"\n")
	case legacy:
		return document(status, struct {
			problemJSON
			legacyJSON
		}{problemJSON{reason}, legacyResult(strings.Trim(command, "/"), check.Result{Text: reason})})
	}
	return problem(status, "%s", reason)
}

func unauthorized(r *http.Request, err error) http.Handler {
	return with(refusal(r, http.StatusUnauthorized, err.Error()),
		"WWW-Authenticate", `Basic realm="wasmagent", charset="UTF-8"`, "WWW-Authenticate", `Bearer realm="wasmagent"`)
}

func throttled(r *http.Request, err error) http.Handler {
	return with(refusal(r, http.StatusTooManyRequests, err.Error()), "Retry-After", "1")
}

func notAllowed(q *request, allow []string) http.Handler {
	verbs := strings.Join(allow, ", ")
	return with(problem(http.StatusMethodNotAllowed, "%s: %s is not possible; it takes %s", q.path, q.Method, verbs), "Allow", verbs)
}

// accepts is the one of the offered types that the Accept headers prefer: the
// first offer if they name none of them.
func accepts(h http.Header, offers ...string) string {
	best, quality := offers[0], 0.0
	for _, offer := range offers {
		if q := preference(h, offer); q > quality {
			best, quality = offer, q
		}
	}
	return best
}

// preference is the quality that the Accept headers give to a type, from 0 to 1.
// https://www.rfc-editor.org/rfc/rfc9110#name-accept
func preference(h http.Header, offer string) (quality float64) {
	exact := -1
	major, _, _ := strings.Cut(offer, "/")
	for element := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		name, parameters, _ := strings.Cut(element, ";")
		precision := map[string]int{"*/*": 0, major + "/*": 1, offer: 2}
		n, ok := precision[strings.ToLower(strings.TrimSpace(name))]
		if !ok || n < exact {
			continue
		}
		exact, quality = n, weight(parameters)
	}
	return quality
}

// weight is the "q" of the parameters of a type.
func weight(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		if q, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			v, err := strconv.ParseFloat(q, 64)
			if err != nil || !(v >= 0 && v <= 1) {
				return 0
			}
			return v
		}
	}
	return 1
}
