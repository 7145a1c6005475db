package http1_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/guest"
	"github.com/wasmagent/wasmagent/guest/http1"
)

// says is a server that reads a request and answers with these bytes.
func says(t testing.TB, answer string) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				io.Copy(io.Discard, request.Body)
				io.WriteString(conn, answer)
			}
			conn.Close()
		}
	}()
	return &url.URL{Scheme: "http", Host: listener.Addr().String(), Path: "/"}
}

var answerRows = []struct {
	answer string
	status int
	body   string
	err    string
}{
	{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, "ab", ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", 200, "ab", ""},
	{"HTTP/1.0 200\r\n\r\nto the end", 200, "to the end", ""},
	{"HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", 404, "", ""},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\na", 200, "a", ""},
	{"HTTP/1.1 101 Switching\r\n\r\nnoise", 101, "", ""},
	{"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", ""},
	{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", ""},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n00A;x=y\r\ncdefghijkl\r\n0\r\nX: y\r\n\r\n", 200, "abcdefghijkl", ""},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 200, "", ""},
	{"SSH-2.0-x\r\nmore\r\n", 0, "more\r\n", ""},
	{"HTTP/2.0 200 OK\r\n\r\n", 0, "\r\n", ""},
	{"HTTP/1.1 99 x\r\n\r\n", 0, "\r\n", ""},
	{"HTTP/1.1 0200 x\r\n\r\n", 0, "\r\n", ""},
	{"HTTP/1.1 600 x\r\n\r\n", 0, "\r\n", ""},
	{"\r\n", 0, "", ""},
	{"", 0, "", "no data received"},
	{"HTTP/1.1 200 OK", 0, "", "unexpected EOF"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1", 0, "", "unexpected EOF"},
	{"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", 0, "", "malformed MIME header"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", 0, "", "the answer ended after 2 of 3 bytes"},
	{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab", 0, "", `the length "-1", which is no number`},
	{"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab", 0, "", `the length "2, 2"`},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nab", 0, "", `unknown transfer coding "gzip, chunked"`},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\n", 0, "", `a chunk of the size "xy"`},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 0, "", `a chunk of the size "-1"`},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\n", 0, "", `a chunk of the size "80000000"`},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", 0, "", "does not end after its 3 bytes"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 0, "", "does not end after its 2 bytes"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", 0, "", "unexpected EOF"},
	{"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1000), 0, "", "the answer has more than 500 bytes"},
	{"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1000), 0, "", "the answer has more than 500 bytes"},
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range answerRows {
		a, err := http1.Request{URL: says(t, row.answer), Limit: 500}.Do(t.Context())
		switch {
		case row.err != "":
			if err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("%.80q: %v, want %q", row.answer, err, row.err)
			}
		case err != nil:
			t.Errorf("%.80q: %v", row.answer, err)
		case a.Status != row.status || string(a.Body) != row.body || a.Line == "" && row.answer != "\r\n":
			t.Errorf("%.80q: %q, %d, %q", row.answer, a.Line, a.Status, a.Body)
		}
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	asked := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- r
		bodies <- string(body)
		w.Header().Set("Location", "next?q=1")
		w.WriteHeader(http.StatusFound)
		fmt.Fprint(w, "there")
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(listener)
	defer s.Close()
	to := &url.URL{Scheme: "http", Host: "example.com:8080", Path: "/a b/c", RawQuery: "x=y", Fragment: "not sent"}
	a, err := http1.Request{
		Method: "POST", URL: to, Address: listener.Addr().String(), Body: "p=1",
		Header: textproto.MIMEHeader{"X-One": {"1", "2"}, "User-Agent": {"me"}},
	}.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := <-asked
	if r.Method != "POST" || r.Host != "example.com:8080" || r.RequestURI != "/a%20b/c?x=y" || r.UserAgent() != "me" || len(r.Header["X-One"]) != 2 || !r.Close {
		t.Errorf("%s %s %s %+v", r.Method, r.Host, r.RequestURI, r.Header)
	}
	if body := <-bodies; body != "p=1" {
		t.Errorf("the body is %q", body)
	}
	location, err := a.Location(to)
	if err != nil || location.String() != "http://example.com:8080/a%20b/next?q=1" {
		t.Errorf("%v, %v", location, err)
	}
	if a.Line != "HTTP/1.1 302 Found" || a.Size < 100 || a.Connect <= 0 || a.FirstByte < a.Connect || a.Total < a.FirstByte {
		t.Errorf("%+v", a)
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	from := &url.URL{Scheme: "http", Host: "a", Path: "/"}
	if to, err := (&http1.Answer{}).Location(from); to != nil || err != nil {
		t.Errorf("no location: %v, %v", to, err)
	}
	a := http1.Answer{Header: textproto.MIMEHeader{"Location": {"http://[::1"}}}
	if to, err := a.Location(from); to != nil || err == nil || !strings.Contains(err.Error(), "leads nowhere") {
		t.Errorf("a bad location: %v, %v", to, err)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	web := &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/"}
	for says, r := range map[string]http1.Request{
		"want http:// or https://":   {URL: &url.URL{Scheme: "ftp", Host: "127.0.0.1"}},
		`"X: a\r\nB: c"`:             {URL: web, Header: textproto.MIMEHeader{"X": {"a\r\nB: c"}}},
		"of the request holds a lin": {URL: web, Method: "GET\r\nX: "},
		"refused":                    {URL: web},
		"want HOST:PORT":             {URL: web, Address: "nowhere"},
	} {
		if a, err := r.Do(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %+v, %v; want %q", r, a, err, says)
		}
	}
}

// TestSlowServers has servers that never answer, and that never end.
func TestSlowServers(t *testing.T) {
	t.Parallel()
	for _, begin := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			if conn, err := listener.Accept(); err == nil {
				io.WriteString(conn, begin)
				io.Copy(io.Discard, conn)
				conn.Close()
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err = http1.Request{URL: &url.URL{Scheme: "http", Host: listener.Addr().String(), Path: "/"}}.Do(ctx)
		if !guest.TimedOut(err) {
			t.Errorf("after %q: %v", begin, err)
		}
	}
}

// FuzzAnswer reads any answer within the limit, and never more than there is.
func FuzzAnswer(f *testing.F) {
	for _, row := range answerRows {
		f.Add(row.answer)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		a, err := http1.ReadAnswer(strings.NewReader(answer), "GET", 500)
		if err == nil && (a.Size > int64(len(answer)) || a.Size > 500 || int64(len(a.Body)) > a.Size) {
			t.Errorf("%q: %+v", answer, a)
		}
	})
}
