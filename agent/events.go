package agent

import (
	"sync"

	"github.com/wasmagent/wasmagent/check"
)

// events numbers events and hands each to every subscriber that has room for
// it. The zero events has no subscriber.
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
	if e.subscribers == nil {
		e.subscribers = make(map[chan check.Event]struct{})
	}
	e.subscribers[s] = struct{}{}
	return s, func() { e.cancel(s) }
}

// cancel ends a subscription, once.
func (e *events) cancel(s chan check.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
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
