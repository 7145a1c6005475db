package fetch_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/trust"
)

// A site maps paths to what is served there.
type site map[string]http.HandlerFunc

func (s site) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if serve, ok := s[req.URL.EscapedPath()]; ok {
		serve(w, req)
		return
	}
	http.NotFound(w, req)
}

// start serves a site, and with TLS a second time, until the test ends.
func (s site) start(t *testing.T) (plain, secure *httptest.Server, trusting fetch.Client) {
	t.Helper()
	plain, secure = httptest.NewServer(s), httptest.NewUnstartedServer(s)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	trusting = limited
	trusting.Roots = x509.NewCertPool()
	trusting.Roots.AddCert(secure.Certificate())
	return plain, secure, trusting
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "\x1b[2Jhostile", code) }
}

// endless sends bytes until nobody wants them any more.
func endless(w http.ResponseWriter, req *http.Request) {
	for req.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// truncated says that there is more than it sends.
func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte("half"))
}

func TestURL(t *testing.T) {
	t.Parallel()
	s := site{
		"/a/web.zip":               text("bytes"),
		"/signed.zip":              text("bytes"),
		"/signed.zip.minisig":      text("signature"),
		"/forbidden.zip":           text("bytes"),
		"/forbidden.zip.minisig":   status(http.StatusForbidden),
		"/b%20c/words.zip":         text("words"),
		"/b%20c/words.zip.minisig": text("of words"),
		"/a%2Fb/c.zip":             text("slash"),
		"/a%2Fb/c.zip.minisig":     text("of slash"),
		"/moved.zip":               func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/a/web.zip", http.StatusFound) },
		"/query/q.zip":             func(w http.ResponseWriter, req *http.Request) { fmt.Fprint(w, req.URL.RawQuery, req.UserAgent()) },
		"/query/q.zip.minisig":     func(w http.ResponseWriter, req *http.Request) { fmt.Fprint(w, req.URL.RawQuery) },
		"/compressed.zip":          compressed,
		"/full.zip":                text(strings.Repeat("x", 1000)),
		"/without-length-full.zip": func(w http.ResponseWriter, req *http.Request) {
			w.(http.Flusher).Flush()
			text(strings.Repeat("x", 1000))(w, req)
		},
	}
	plain, secure, trusting := s.start(t)
	for _, at := range []string{plain.URL, secure.URL} {
		wantParcel(t, trusting, at+"/a/web.zip", "bytes", "")
		wantParcel(t, trusting, at+"/signed.zip", "bytes", "signature")
		wantParcel(t, trusting, at+"/forbidden.zip", "bytes", "")
		wantParcel(t, trusting, at+"/b%20c/words.zip", "words", "of words")
		wantParcel(t, trusting, at+"/a%2Fb/c.zip", "slash", "of slash")
		wantParcel(t, trusting, at+"/moved.zip", "bytes", "")
		wantParcel(t, trusting, at+"/query/q.zip?key=a%2Fb", "key=a%2Fbtest", "key=a%2Fb")
		wantParcel(t, trusting, at+"/compressed.zip", "not inflated", "")
		wantParcel(t, trusting, at+"/full.zip", strings.Repeat("x", 1000), "")
		wantParcel(t, trusting, at+"/without-length-full.zip", strings.Repeat("x", 1000), "")
	}
	wantError(t, limited, secure.URL+"/a/web.zip", "certificate")
}

// compressed says that it is gzip, which it is not asked for.
func compressed(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	text("not inflated")(w, req)
}

func TestHostileServer(t *testing.T) {
	t.Parallel()
	s := site{
		"/500.zip":       status(http.StatusInternalServerError),
		"/partial.zip":   status(http.StatusPartialContent),
		"/empty.zip":     status(http.StatusNoContent),
		"/endless.zip":   endless,
		"/large.zip":     text(strings.Repeat("x", 1001)),
		"/truncated.zip": truncated,
		"/reset.zip":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"/loop.zip":      func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/loop.zip", http.StatusFound) },
		"/file.zip": func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "file:///etc/passwd", http.StatusFound)
		},
		"/header.zip": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) },
		"/status.zip": status(999),
	}
	plain, secure, trusting := s.start(t)
	for _, at := range []string{plain.URL, secure.URL} {
		for path, reason := range map[string]string{
			"/gone.zip":      "the server answers 404 Not Found",
			"/500.zip":       "the server answers 500 Internal Server Error",
			"/partial.zip":   "the server answers 206",
			"/empty.zip":     "the server answers 204",
			"/endless.zip":   "is larger than the limit of 1000 B",
			"/large.zip":     "is larger than the limit of 1000 B",
			"/truncated.zip": "unexpected EOF",
			"/reset.zip":     "EOF",
			"/loop.zip":      "the server redirects more than 5 times",
			"/file.zip":      "file:///etc/passwd",
			"/header.zip":    "header",
			"/status.zip":    "the server answers 999",
		} {
			wantError(t, trusting, at+path, reason)
		}
	}
}

// TestTLSStays wants that no request goes without TLS once one went with it.
func TestTLSStays(t *testing.T) {
	t.Parallel()
	open := site{"/a.zip": text("bytes"), "/a.zip.minisig": text("signature")}
	plain, _, _ := open.start(t)
	down := func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, plain.URL+"/a.zip", http.StatusFound)
	}
	_, secure, trusting := site{"/a.zip": down, "/b.zip": text("bytes"), "/b.zip.minisig": down}.start(t)
	wantError(t, trusting, secure.URL+"/a.zip", "leads from https to one without TLS")
	p, err := trusting.Fetch(t.Context(), source(t, secure.URL+"/b.zip"))
	if err != nil || p.Signature != nil || p.Unsigned == nil || errors.Is(p.Unsigned, fs.ErrNotExist) {
		t.Errorf("the signature without TLS: %q, %v, %v", p.Signature, p.Unsigned, err)
	}
}

// TestHostileSignature wants that a signature that cannot be had is none, and not
// said to be absent.
func TestHostileSignature(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]http.HandlerFunc{
		"500": status(http.StatusInternalServerError), "endless": endless, "truncated": truncated,
		"large": text(strings.Repeat("x", trust.MaxSignature+1)),
	} {
		plain, _, _ := site{"/a.zip": text("bytes"), "/a.zip.minisig": serve}.start(t)
		p, err := limited.Fetch(t.Context(), source(t, plain.URL+"/a.zip"))
		if err != nil || p.Signature != nil || p.Unsigned == nil || errors.Is(p.Unsigned, fs.ErrNotExist) {
			t.Errorf("%s: %d bytes, %v, %v", name, len(p.Signature), p.Unsigned, err)
		}
	}
}

// TestCancel wants that a server that is slow is waited for only as long as the
// context says: before it answers, within the zip, and within the signature.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"/a.zip", "/a.zip.minisig"} {
		for _, begin := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			stall := func(w http.ResponseWriter, req *http.Request) {
				if begin {
					fmt.Fprint(w, "some")
					w.(http.Flusher).Flush()
				}
				cancel()
				<-req.Context().Done()
			}
			s := site{"/a.zip": text("bytes")}
			s[part] = stall
			plain, _, _ := s.start(t)
			if p, err := limited.Fetch(ctx, source(t, plain.URL+"/a.zip")); !errors.Is(err, context.Canceled) || p.Archive != nil {
				t.Errorf("%s, begun %v: %v", part, begin, err)
			}
		}
	}
}
