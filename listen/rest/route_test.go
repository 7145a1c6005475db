package rest_test

import (
	"bufio"
	"compress/gzip"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for _, row := range []struct {
		verb, path string
		status     int
		allow      string
	}{
		{"GET", "/api/v1/info", 200, ""},
		{"GET", "/api/v1/info/", 200, ""},
		{"GET", "/api/v1/info///", 200, ""},
		{"GET", "/api/v1/info?x=/", 200, ""},
		{"HEAD", "/api/v1/info", 200, ""},
		{"GET", "/%61pi/v1/inf%6F", 200, ""},
		{"GET", "/API/v1/info", 404, ""},
		{"GET", "/api/v3/info", 404, ""},
		{"GET", "//api/v1/info", 404, ""},
		{"GET", "/api//v1/info", 404, ""},
		{"GET", "/api/v1/../v1/info", 404, ""},
		{"GET", "/api/v1/queries//commands/execute", 404, ""},
		{"GET", "/api/v1/metrics", 404, ""},
		{"GET", "/favicon.ico", 404, ""},
		{"POST", "/api/v1/info", 405, "GET, HEAD"},
		{"DELETE", "/api/v2/modules/web", 405, "GET, HEAD, POST, PUT"},
		{"HEAD", "/api/v2/modules/web/commands/unload", 405, "GET"},
		{"POST", "/api/v2/queries/c/commands/execute", 405, "GET, HEAD"},
		{"GET", "/api/v2/reload", 405, "POST"},
		{"HEAD", "/api/v2/schedule/disk/", 200, ""},
		{"GET", "/api/v2/schedule/disk/commands/run", 405, "POST"},
		{"HEAD", "/api/v2/schedule/disk/commands/run", 405, "POST"},
		{"POST", "/api/v2/schedule", 405, "GET, HEAD"},
		{"GET", "/api/v2/schedule/web/page%201", 404, ""},
		{"PATCH", "/api/v2/settings/status", 405, "DELETE, GET, HEAD, PUT"},
		{"OPTIONS", "/", 405, "GET, HEAD"},
		{"BREW", "/", 405, "GET, HEAD"},
	} {
		a := ask(t, s, "admin", row.verb, row.path, "")
		if a.status != row.status || a.header.Get("Allow") != row.allow {
			t.Errorf("%s %s: %d, Allow %q, %s; want %d, %q", row.verb, row.path, a.status, a.header.Get("Allow"), a.body, row.status, row.allow)
		}
		if row.verb != "HEAD" && a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: content type %q", row.verb, row.path, a.header.Get("Content-Type"))
		}
	}
}

// TestMethodOverride unloads nothing.
func TestMethodOverride(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	ask(t, s, "admin", "GET", "/api/v2/reload", "", "X-HTTP-Method-Override", "POST")
	ask(t, s, "admin", "GET", "/api/v2/logs", "", "X-HTTP-Method-Override", "DELETE")
	if told := g.told(); len(told) > 0 {
		t.Errorf("done: %+v", told)
	}
}

// TestHead has the headers of GET and no body.
func TestHead(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for _, path := range []string{"/", "/api/v2/queries", "/query/perf", "/api/v2/events", "/api/openapi.json"} {
		get := ask(t, s, "admin", "GET", path, "", "Accept-Encoding", "identity")
		head := ask(t, s, "admin", "HEAD", path, "", "Accept-Encoding", "identity")
		if head.status != get.status || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: %+v, want the headers of %+v", path, head, get)
		}
	}
	if a := ask(t, s, "admin", "HEAD", "/api/v2/events", "", "Accept", "text/event-stream"); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("events: %+v", a)
	}
}

func TestProtocols(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	if a, err := s.Client().Get(s.URL); err != nil || a.ProtoMajor != 2 {
		t.Errorf("%+v, %v; want HTTP/2", a, err)
	} else {
		a.Body.Close()
	}
	for request, want := range map[string]string{
		"GET / HTTP/1.0\r\n\r\n":                                              "HTTP/1.0 200 OK",
		"GET /query/c?OK HTTP/1.0\r\npassword: admin\r\n\r\n":                 "HTTP/1.0 200 OK",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":                                   "HTTP/1.1 200 OK",
		"GET /api HTTP/1.1\r\n\r\n":                                           "HTTP/1.1 400 Bad Request: missing required Host header",
		"GET https://x/api HTTP/1.1\r\nHost: x\r\nTOKEN: admin-token\r\n\r\n": "HTTP/1.1 200 OK",
		"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n": "HTTP/1.1 405 Method Not Allowed",
	} {
		if line := raw(t, s.Listener.Addr().String(), request); line != want {
			t.Errorf("%q: %q, want %q", request, line, want)
		}
	}
}

// raw sends bytes over TLS and reads the first line of the answer.
func raw(t *testing.T, address, request string) string {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, request)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer resp.Body.Close()
	return resp.Proto + " " + resp.Status
}

func TestGzip(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	long := "/query/c?" + strings.Repeat("a&", 2000)
	for _, row := range []struct {
		path, accept string
		zipped       bool
	}{
		{long, "gzip", true}, {long, "br, gzip;q=0.5", true}, {long, "identity", false}, {long, "gzip;q=0", false},
		{"/", "gzip", false},
	} {
		a := get(t, s, row.path, 200, "Accept-Encoding", row.accept)
		if zipped := a.header.Get("Content-Encoding") == "gzip"; zipped != row.zipped {
			t.Errorf("%.20s, Accept-Encoding %s: zipped is %v", row.path, row.accept, zipped)
		} else if zipped {
			z, err := gzip.NewReader(strings.NewReader(a.body))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(z)
			a.body = string(b)
			if err != nil || !strings.HasPrefix(a.body, "{") {
				t.Errorf("%s: %v", row.path, err)
			}
		}
		if !strings.HasSuffix(a.body, "}\n") {
			t.Errorf("%.20s: it ends in %q", row.path, a.body[max(0, len(a.body)-20):])
		}
	}
}
