package agent

import (
	"sync"

	"github.com/wasmagent/wasmagent/check"
)

// events numbers events and hands each to every subscriber that has room for
// it.
type events struct {
	mu          sync.Mutex
	last        uint64
	subscribers map[chan check.Event]struct{}
	closed      bool
}

// emit numbers the event and offers it around. It never waits for a subscriber;
// numbering under the lock is what makes every subscriber see them in order.
func (e *events) emit(event check.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	event.Number = e.last
	for s := range e.subscribers {
		select {
		case s <- event:
		default:
		}
	}
}

// pass waits as an event would, and is none.
func (e *events) pass() {
	e.mu.Lock()
	defer e.mu.Unlock()
}

func (e *events) subscribe(buffer int) (<-chan check.Event, func()) {
	s := make(chan check.Event, max(1, buffer))
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		close(s)
		return s, func() {}
	}
	e.subscribers[s] = struct{}{}
	return s, func() { e.cancel(s) }
}

// follow offers the events to some subscribers from now on, and to others no more.
// No event comes between the two.
func (e *events) follow(in, out []*subscriber) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range out {
		e.drop(s.feed)
	}
	for _, s := range in {
		e.subscribers[s.feed] = struct{}{}
	}
}

// cancel ends a subscription, once.
func (e *events) cancel(s chan check.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(s)
}

func (e *events) drop(s chan check.Event) {
	if _, ok := e.subscribers[s]; ok {
		delete(e.subscribers, s)
		close(s)
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.subscribers {
		close(s)
	}
	e.subscribers, e.closed = nil, true
}
