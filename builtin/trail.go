package builtin

import (
	"context"
	"sync"
	"time"
)

const (
	trailLength = time.Hour              // readings older than this are forgotten
	trailPoints = 128                    // readings kept
	trailLeast  = 500 * time.Millisecond // the shortest time to average over
)

// A trail remembers earlier readings of figures that only grow, so that their
// growth over a time span is known without anything running in between. The
// zero trail is empty.
type trail[T any] struct {
	mu     sync.Mutex
	points []point[T]
}

// A point is a reading and its time.
type point[T any] struct {
	at    time.Time
	value T
}

// span reads the figures now and returns that reading after the earlier one
// whose age is nearest to want. If there is none it takes one first and waits
// for trailLeast, or until ctx ends.
func (t *trail[T]) span(ctx context.Context, want time.Duration, read fact[T]) (from, to point[T], err error) {
	now, err := t.read(ctx, read)
	if err != nil {
		return from, to, err
	}
	if earlier, ok := t.earlier(now.at, want); ok {
		return earlier, now, nil
	}
	if err := pause(ctx, trailLeast); err != nil {
		return from, to, err
	}
	later, err := t.read(ctx, read)
	return now, later, err
}

// read takes a reading and remembers it.
func (t *trail[T]) read(ctx context.Context, read fact[T]) (point[T], error) {
	value, err := read(ctx)
	p := point[T]{time.Now(), value}
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.points = thin(append(t.points, p), p.at)
	}
	return p, err
}

// earlier is the remembered reading whose age at now is nearest to want.
func (t *trail[T]) earlier(now time.Time, want time.Duration) (best point[T], ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.points {
		age := now.Sub(p.at)
		if age >= trailLeast && (!ok || (age-want).Abs() < (now.Sub(best.at)-want).Abs()) {
			best, ok = p, true
		}
	}
	return best, ok
}

// thin forgets points that are too old, and every second one of the older half
// when there are too many, so that what is left still reaches back.
func thin[T any](points []point[T], now time.Time) []point[T] {
	kept := points[:0:0]
	for i, p := range points {
		crowded := len(points) > trailPoints && i < len(points)/2 && i%2 == 1
		if !crowded && now.Sub(p.at) <= trailLength {
			kept = append(kept, p)
		}
	}
	return kept
}

// pause waits for d, or until ctx ends, which is an error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
