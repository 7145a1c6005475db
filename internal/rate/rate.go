// Package rate bounds how often what peers cause happens: events by a Bucket, and
// lines of the log by Notices.
//
// Peers are hostile: whatever they do, a Bucket and Notices hold a few words of
// memory each, and no line of the log is larger than what its caller writes.
//
// The package imports only the standard library. Notices are safe for concurrent
// use, a Bucket is not.
package rate

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A Bucket allows events at a rate. The zero Bucket is full.
type Bucket struct {
	owed float64 // events not paid for by time
	at   time.Time
}

// Take tells whether one more event is allowed: rate events a second, and as many
// as burst at once.
func (b *Bucket) Take(now time.Time, rate, burst float64) bool {
	b.owed = max(0, b.owed-rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.owed+1 > max(burst, 1) {
		return false
	}
	b.owed++
	return true
}

// Notices are the lines that peers cause in the log: twenty at once, and then one
// in five seconds, which says in "lines_left_out" how many there were not since the
// last. The zero Notices are ready for use.
type Notices struct {
	mu      sync.Mutex
	bucket  Bucket
	leftOut int
}

// Log writes a line, unless there were many.
func (n *Notices) Log(ctx context.Context, log *slog.Logger, level slog.Level, message string, attrs ...any) {
	if !log.Enabled(ctx, level) {
		return
	}
	if leftOut, ok := n.take(time.Now()); ok {
		log.Log(ctx, level, message, append(attrs, "lines_left_out", leftOut)...)
	}
}

// take tells whether a line may be written, and how many were not since the last.
func (n *Notices) take(now time.Time) (leftOut int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.bucket.Take(now, 0.2, 20) {
		n.leftOut++
		return 0, false
	}
	leftOut, n.leftOut = n.leftOut, 0
	return leftOut, true
}
