package listen

import (
	"net/http"
	"time"
)

// A paced is the answer in a stream of HTTP/2, each piece of which has a deadline. The
// wire has none for it: a peer that gives a stream no window leaves the connection
// writable, and the answer waiting (RFC 9113, 10.5).
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

// paceStreams gives the answers in streams of HTTP/2 their deadlines.
func paceStreams(limit time.Duration, serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			serve(w, r)
			return
		}
		p := paced{w, http.NewResponseController(w), limit}
		defer p.begin() // what is left is written when the handler has returned
		serve(p, r)
	})
}

func (p paced) begin() { p.control.SetWriteDeadline(time.Now().Add(p.limit)) }
func (p paced) end()   { p.control.SetWriteDeadline(time.Time{}) }

func (p paced) Write(b []byte) (n int, err error) {
	defer p.end()
	for err == nil && n < len(b) {
		p.begin()
		var m int
		m, err = p.ResponseWriter.Write(b[n:min(n+pieceSize, len(b))])
		n += m
	}
	return n, err
}

func (p paced) FlushError() error {
	defer p.end()
	p.begin()
	return p.control.Flush()
}

func (p paced) Flush() { _ = p.FlushError() }

// Unwrap is for http.ResponseController.
func (p paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }
