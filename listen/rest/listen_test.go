package rest_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/rest"
)

// listenOn serves it as the agent does, without TLS.
func (g *agentry) listenOn(t *testing.T, limits listen.Limits) (l *listen.Listener, url string) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err = listen.Serve(socket, listen.Settings{
		Handler: listen.HTTP{Handler: rest.New(g.Config), Refuse: rest.Refuse, MaxBody: g.UploadSize},
		Limits:  limits,
		Log:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	return l, "http://" + l.Addr().String()
}

// request is one of the administrator.
func request(t *testing.T, verb, url string, body io.Reader, accept string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), verb, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("TOKEN", "admin-token")
	r.Header.Set("Accept", accept)
	return r
}

// do sends it and reads the answer.
func do(t *testing.T, r *http.Request) answer {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// TestBusyListener asks while the one request that may be in flight is: the answer
// is an UNKNOWN in the form that was asked for.
func TestBusyListener(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	running, finish := make(chan struct{}), make(chan struct{})
	g.Run = check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
		close(running)
		<-finish
		return check.Result{State: check.StateOK}, nil
	})
	_, url := g.listenOn(t, listen.Limits{Requests: 1})
	first := make(chan answer)
	go func() { first <- do(t, request(t, "GET", url+"/query/slow", nil, "")) }()
	<-running
	for _, row := range []struct{ path, accept, want string }{
		{"/query/c/", "", `{"error":"R","payload":[{"command":"c","result":"UNKNOWN","lines":[{"message":"R","perf":[]}]}]}`},
		{"/api/v2/queries/c/commands/execute", "", `{"error":"R"}`},
		{"/api/v2/queries/c/commands/execute", "text/plain", "R"},
	} {
		a := do(t, request(t, "GET", url+row.path, nil, row.accept))
		if want := strings.ReplaceAll(row.want, "R", listen.ErrBusy.Error()) + "\n"; a.status != http.StatusServiceUnavailable || a.body != want {
			t.Errorf("%s: %d %s, want %s", row.path, a.status, a.body, want)
		}
	}
	close(finish)
	if a := <-first; a.status != http.StatusOK {
		t.Errorf("the first: %d %s", a.status, a.body)
	}
}

// TestClosedListener closes it while a client reads along.
func TestClosedListener(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	l, url := g.listenOn(t, listen.Limits{})
	resp, err := http.DefaultClient.Do(request(t, "GET", url+"/api/v2/events", nil, "text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(resp.Body); err != nil || len(b) > 0 {
		t.Errorf("the stream ends in %q, %v", b, err)
	}
}

// TestHugeBodies sends a gibibyte to whatever takes a body, and to what takes none.
func TestHugeBodies(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	_, url := g.listenOn(t, listen.Limits{})
	const size = 1 << 30
	for path, status := range map[string]int{
		"POST /api/v2/modules/huge": 413, "PUT /api/v2/modules/web": 413, "POST /api/v2/settings/command": 413,
		"POST /api/v2/reload": 200, "GET /api/v2/info": 200, "DELETE /nothing": 404,
	} {
		verb, path, _ := strings.Cut(path, " ")
		for _, length := range []int64{size, -1} {
			body := &counted{}
			r := request(t, verb, url+path, io.LimitReader(body, size), "")
			r.ContentLength = length
			if resp, err := http.DefaultTransport.RoundTrip(r); err == nil { // or the agent has hung up meanwhile
				resp.Body.Close()
				if resp.StatusCode != status {
					t.Errorf("%s %s: %d, want %d", verb, path, resp.StatusCode, status)
				}
			}
			if read := body.read.Load(); read > 32<<20 {
				t.Errorf("%s %s: %d bytes were taken", verb, path, read)
			}
		}
	}
}

// counted is a string without end that begins some JSON, and counts what is taken
// of it.
type counted struct{ read atomic.Int64 }

func (c *counted) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '"'
		if c.read.Load() > 0 || i > 0 {
			p[i] = 'x'
		}
	}
	c.read.Add(int64(len(p)))
	return len(p), nil
}
