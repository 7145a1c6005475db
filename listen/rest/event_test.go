package rest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen/rest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// event is one of a scheduled check.
func event(number uint64) check.Event {
	e := check.Event{
		Number: number, Time: noon, Module: "web",
		Request: check.Request{Command: "check_x", Args: []string{"secret"}, Origin: check.Schedule},
		Result:  check.Result{State: check.StateWarning, Text: fmt.Sprintf("run %d", number)},
	}
	if number%2 == 0 {
		e.Standing = &check.Standing{Check: "x", Hard: true, HardState: check.StateWarning, Changed: true, Attempt: 3, MaxAttempts: 3}
	}
	return e
}

// observe gives it the events of some numbers.
func (g *agentry) observe(numbers ...uint64) {
	for _, n := range numbers {
		g.Events.Observe(event(n))
	}
}

func TestEventList(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	if a := get(t, s, "/api/v2/events", http.StatusOK); a.body != "[]\n" {
		t.Error(a.body)
	}
	g.observe(1, 2)
	date := noon.Local().Format("2006-Jan-02 15:04:05")
	first := `{"index":1,"event":"result","date":"` + date + `","data":{"command":"check_x","module":"web","origin":"schedule","state":"WARNING","text":"run 1"}}`
	second := `{"index":2,"event":"state_change","date":"` + date + `","data":{"attempt":"3","check":"x","command":"check_x","hard_state":"WARNING","module":"web","origin":"schedule","state":"WARNING","text":"run 2"}}`
	for _, verb := range []string{"GET", "DELETE"} {
		if a := ask(t, s, "admin", verb, "/api/v1/events", ""); a.body != "["+first+","+second+"]\n" {
			t.Errorf("%s: %s", verb, a.body)
		}
	}
	if a := get(t, s, "/api/v2/events", http.StatusOK); a.body != "[]\n" {
		t.Errorf("after DELETE: %s", a.body)
	}
	g.observe(3)
	if a := get(t, s, "/api/v2/events", http.StatusOK); !strings.HasPrefix(a.body, `[{"index":3,`) {
		t.Errorf("after another: %s", a.body)
	}
}

// A reader reads a stream of events by line.
type reader struct {
	*bufio.Scanner
	header http.Header
}

func read(t *testing.T, s *httptest.Server, path string, fields ...string) reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("TOKEN", "admin-token")
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	return reader{bufio.NewScanner(resp.Body), resp.Header}
}

// want reads lines.
func (r reader) want(t *testing.T, lines ...string) {
	t.Helper()
	for _, want := range lines {
		if !r.Scan() || r.Text() != want {
			t.Fatalf("line %q, %v; want %q", r.Text(), r.Err(), want)
		}
	}
}

func lineOf(number uint64) string {
	b, err := json.Marshal(event(number))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestServerSentEvents reads along from where it says.
func TestServerSentEvents(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	g.observe(4, 5)
	sse := []string{"Accept", "text/event-stream"}
	now := read(t, s, "/api/v2/events", sse...)
	if now.header.Get("Content-Type") != "text/event-stream" || now.header.Get("Content-Encoding") != "" {
		t.Errorf("headers %v", now.header)
	}
	begin := read(t, s, "/api/v1/events/?since=0", sse...)
	begin.want(t, ": events 1 to 3 are lost", "", "id: 4", "data: "+lineOf(4), "", "id: 5", "data: "+lineOf(5), "")
	again := read(t, s, "/api/v2/events", append(sse, "Last-Event-ID", "4")...)
	again.want(t, "id: 5", "data: "+lineOf(5), "")
	anew := read(t, s, "/api/v2/events", append(sse, "Last-Event-ID", "99")...)
	anew.want(t, ": the numbers begin anew, as the agent was started again", "", ": events 1 to 3 are lost", "", "id: 4", "data: "+lineOf(4), "")
	g.observe(6, 9)
	for _, r := range []reader{now, begin, again} {
		r.want(t, "id: 6", "data: "+lineOf(6), "", ": events 7 to 8 are lost", "", "id: 9", "data: "+lineOf(9), "")
	}
	ask(t, s, "admin", "DELETE", "/api/v2/events", "") // is nothing to who reads along
	g.observe(10)
	g.Events.Close()
	now.want(t, "id: 10", "data: "+lineOf(10), "")
	if now.Scan() || now.Err() != nil {
		t.Errorf("after the end: %q, %v", now.Text(), now.Err())
	}
	get(t, s, "/api/v2/events", http.StatusBadRequest, append(sse, "Last-Event-ID", "x")...)
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	g.observe(1)
	lines := read(t, s, "/api/v2/events?since=0", "Accept", "application/x-ndjson")
	if lines.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("headers %v", lines.header)
	}
	lines.want(t, lineOf(1))
	g.observe(2, 5)
	lines.want(t, lineOf(2), "", lineOf(5))
	if strings.Contains(lineOf(2), "secret") {
		t.Errorf("arguments are told: %s", lineOf(2))
	}
}

// TestSlowReaderLosesEvents has a reader who does not read while there are more
// events than are kept: what is kept is bounded, Observe does not wait, and the
// reader sees the gap.
func TestSlowReaderLosesEvents(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	h := rest.New(g.Config)
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/v2/events?since=0", nil)
	r.Header.Set("TOKEN", "admin-token")
	r.Header.Set("Accept", "text/event-stream")
	w := &slowWriter{ResponseRecorder: httptest.NewRecorder(), began: make(chan struct{}), read: make(chan struct{})}
	g.observe(1)
	var done sync.WaitGroup
	done.Go(func() { h.ServeHTTP(w, r) })
	<-w.began
	for n := range uint64(1200) {
		e := event(n + 2)
		e.Result.Long = strings.Repeat("x", 8<<10)
		g.Events.Observe(e)
	}
	close(w.read)
	g.Events.Close()
	done.Wait()
	body := w.Body.String()
	if !strings.Contains(body, "id: 1\n") || !strings.Contains(body, ": events 2 to ") || !strings.Contains(body, "id: 1201\n") || len(body) > 5<<20 {
		t.Errorf("%d bytes: %.100s", len(body), body)
	}
}

// A slowWriter does not return from its first write before it is read.
type slowWriter struct {
	*httptest.ResponseRecorder
	once  sync.Once
	began chan struct{}
	read  chan struct{}
}

func (w *slowWriter) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.began) })
	<-w.read
	return w.ResponseRecorder.Write(b)
}

// TestStreamsAreBounded opens as many as there may be, and one more.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	for range 64 {
		read(t, s, "/api/v2/events", "Accept", "text/event-stream")
	}
	a := get(t, s, "/api/v2/events", http.StatusServiceUnavailable, "Accept", "text/event-stream")
	if a.header.Get("Retry-After") == "" {
		t.Errorf("headers %v", a.header)
	}
	get(t, s, "/api/v2/events", http.StatusOK)
}
