package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen"
)

// The bounds of streams.
const (
	streamTime    = time.Hour        // a client has to ask again, as its rights may have changed
	heartbeatTime = 15 * time.Second // after which whoever is in between sees that it lives
)

// A stream answers with the events as they happen, beginning after a number. A
// reader that is too slow finds that events have made room for others.
type stream struct {
	api    *api
	format format
	after  uint64
}

// stream makes the stream that a request asks for: from the event after the one of
// "Last-Event-ID" or of "since" on, or else from now on.
func (a *api) stream(q *request, f format) http.Handler {
	s := &stream{api: a, format: f, after: a.Events.after(0).last}
	if since := cmp.Or(q.Header.Get("Last-Event-ID"), q.URL.Query().Get("since")); since != "" {
		n, err := strconv.ParseUint(since, 10, 64)
		if err != nil {
			return problem(http.StatusBadRequest, "event %q: want a number, the one of the last event that was read", since)
		}
		s.after = n
	}
	return s
}

// ServeHTTP answers until the client, the agent or the hour is gone.
func (s *stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.api.Events.enter() {
		with(problem(http.StatusServiceUnavailable, "%d streams of events are being read; no more are served", maxReaders), "Retry-After", "60").ServeHTTP(w, r)
		return
	}
	defer s.api.Events.leave()
	h := w.Header()
	h.Set("Content-Type", string(s.format))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx
	if r.Method == http.MethodHead {
		return
	}
	s.run(w, r)
}

func (s *stream) run(w http.ResponseWriter, r *http.Request) {
	end := time.NewTimer(streamTime)
	defer end.Stop()
	heartbeat := time.NewTicker(heartbeatTime)
	defer heartbeat.Stop()
	control := http.NewResponseController(w)
	var b bytes.Buffer
	for {
		now := s.api.Events.after(s.after)
		s.write(&b, now)
		_, err := w.Write(b.Bytes())
		if err := cmp.Or(err, control.Flush()); err != nil || now.closed {
			return
		}
		b.Reset()
		select {
		case <-now.changed:
		case <-heartbeat.C:
			s.format.comment(&b, "still here")
		case <-end.C:
			return
		case <-listen.Draining(r.Context()):
			return
		case <-r.Context().Done():
			return
		}
	}
}

// write writes what there is to read, and what was lost.
func (s *stream) write(b *bytes.Buffer, now reading) {
	if s.after > now.last {
		s.format.comment(b, "the numbers begin anew, as the agent was started again")
		s.after = 0
		now = s.api.Events.after(0)
	}
	for _, e := range now.events {
		if e.Number > s.after+1 {
			s.format.comment(b, fmt.Sprintf("events %d to %d are lost", s.after+1, e.Number-1))
		}
		s.format.event(b, e)
		s.after = e.Number
	}
}

// A format of a stream is its content type.
type format string

// The formats: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html),
// and JSON documents one a line (https://github.com/ndjson/ndjson-spec), where only
// the numbers show what is lost.
const (
	sse    format = "text/event-stream"
	ndjson format = "application/x-ndjson"
)

func (f format) event(b *bytes.Buffer, e check.Event) {
	document, err := json.Marshal(e)
	if err != nil {
		f.comment(b, fmt.Sprintf("event %d cannot be written", e.Number))
		return
	}
	if f == sse {
		fmt.Fprintf(b, "id: %d\ndata: %s\n\n", e.Number, document)
		return
	}
	b.Write(append(document, '\n'))
}

// comment writes what is no event: for JSON lines an empty line.
func (f format) comment(b *bytes.Buffer, text string) {
	if f == sse {
		b.WriteString(": " + text + "\n")
	}
	b.WriteString("\n")
}
