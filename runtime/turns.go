package runtime

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Turns let a few compile at one time, and say who is next: first those that somebody
// waits for, then those that are the cheapest and the most used.
type turns struct {
	mu      sync.Mutex // guards what follows
	free    int        // how many more may compile
	waiting []*turn
}

// A turn is one compilation in the queue.
type turn struct {
	urgent       bool           // somebody waits for it
	instructions uint64         // of the program
	runs         *atomic.Uint64 // that the program has had meanwhile; nil is none
	come         chan struct{}  // closed when it has come
}

// worth is what compiling a program now is good for.
func (t *turn) worth() float64 {
	runs := uint64(0)
	switch {
	case t.urgent:
		runs = 1 << 62 // more than there can be
	case t.runs != nil:
		runs = t.runs.Load()
	}
	return float64(runs+1) / float64(t.instructions+1)
}

// wait waits for a turn, which has to be ended if there is no error.
func (q *turns) wait(ctx context.Context, t turn) error {
	t.come = make(chan struct{})
	q.mu.Lock()
	q.waiting = append(q.waiting, &t)
	q.next()
	q.mu.Unlock()
	select {
	case <-t.come:
		return nil
	case <-ctx.Done():
		q.leave(&t)
		return context.Cause(ctx)
	}
}

// leave gives up a turn, which may have come meanwhile.
func (q *turns) leave(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, t); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		return
	}
	q.free++
	q.next()
}

// end ends a turn.
func (q *turns) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	q.next()
}

// next gives the turns that are free to those who are next; under mu.
func (q *turns) next() {
	for ; q.free > 0 && len(q.waiting) > 0; q.free-- {
		t := slices.MaxFunc(q.waiting, func(a, b *turn) int { return cmp.Compare(a.worth(), b.worth()) })
		i := slices.Index(q.waiting, t)
		q.waiting = slices.Delete(q.waiting, i, i+1)
		close(t.come)
	}
}
