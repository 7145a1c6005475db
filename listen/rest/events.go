package rest

import (
	"sync"

	"github.com/wasmagent/wasmagent/check"
)

// The bounds of Events.
const (
	maxEvents     = 1000
	maxEventBytes = 4 << 20
	maxReaders    = 64
)

// Events keeps the agent's last events in memory, the last 1000 and at most 4 MiB
// of them, for who asks for a list and for who reads along. It is safe for
// concurrent use.
type Events struct {
	mu      sync.Mutex
	kept    ring[check.Event]
	last    uint64        // number of the newest event
	drained uint64        // number up to which a client has taken them off the list
	changed chan struct{} // closed at the next event
	closed  bool
	readers int // who read along
}

// NewEvents returns Events without an event.
func NewEvents() *Events {
	return &Events{kept: ring[check.Event]{keep: maxEvents, size: maxEventBytes}, changed: make(chan struct{})}
}

// Observe adds an event. Events come in the order of their numbers. It never waits
// for a reader.
func (e *Events) Observe(event check.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	event.Request.Args, event.Request.Input = nil, nil // nobody is told
	e.kept.add(event, eventBytes(event))
	e.last = event.Number
	e.wake()
}

// Close ends the streams of all readers.
func (e *Events) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		e.wake()
	}
}

// wake wakes the readers.
func (e *Events) wake() {
	close(e.changed)
	e.changed = make(chan struct{})
}

// enter counts one more reader, unless there are too many.
func (e *Events) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.readers == maxReaders {
		return false
	}
	e.readers++
	return true
}

func (e *Events) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.readers--
}

// eventBytes is about what an event takes in memory.
func eventBytes(e check.Event) int {
	n := 512 + len(e.Module) + len(e.Request.Command) + len(e.Result.Text) + len(e.Result.Long)
	for _, p := range e.Result.Perf {
		n += 128 + len(p.Label) + len(p.Unit)
	}
	return n
}

// A reading is what there is for a reader at one time.
type reading struct {
	events  []check.Event
	last    uint64          // number of the newest event
	changed <-chan struct{} // closed when there is more
	closed  bool            // there will be no more
}

// after are the kept events with larger numbers than n.
func (e *Events) after(n uint64) reading {
	e.mu.Lock()
	defer e.mu.Unlock()
	return reading{e.kept.list(func(event check.Event) bool { return event.Number > n }), e.last, e.changed, e.closed}
}

// list are the events that no client has taken off the list; take takes them.
func (e *Events) list(take bool) []check.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.kept.list(func(event check.Event) bool { return event.Number > e.drained })
	if take {
		e.drained = e.last
	}
	return list
}
