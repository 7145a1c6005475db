package listen

import (
	"errors"
	"maps"
	"sync"
)

// Counts are what came to a listener since it was opened.
type Counts struct {
	// Connections are open, and Requests in flight.
	Connections, Requests int
	// Accepted is how many connections came, those that were turned away included,
	// and Served is how many requests were served or are.
	Accepted, Served uint64
	// Refused is how many connections and requests were turned away, by the reason:
	// "host" (not an allowed one), "busy" (as much is going on as may), "peer" (of
	// this peer), "rate" (the peer asks too often), "plain" (without TLS) or
	// "connection" (it ended before a request: TLS failed, nothing was sent, or the
	// peer has too many).
	Refused map[string]uint64
}

// Counts are those of now.
func (l *Listener) Counts() Counts {
	c := l.counters.read()
	l.ledger.mu.Lock()
	defer l.ledger.mu.Unlock()
	c.Connections, c.Requests = len(l.ledger.conns), l.ledger.requests
	return c
}

// counters count what has ended well or not. The zero counters are at zero.
type counters struct {
	mu     sync.Mutex
	counts Counts
}

func (c *counters) read() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts
	counts.Refused = maps.Clone(counts.Refused)
	return counts
}

// accepted counts a connection.
func (c *counters) accepted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Accepted++
}

// requested counts a request; err is why it is not served.
func (c *counters) requested(err error) {
	if err != nil {
		c.refused(err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Served++
}

// refused counts what was turned away.
func (c *counters) refused(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts.Refused == nil {
		c.counts.Refused = map[string]uint64{}
	}
	c.counts.Refused[reason(err)]++
}

func reason(err error) string {
	var refusal Refusal
	errors.As(err, &refusal)
	switch refusal {
	case ErrNotAllowed:
		return "host"
	case ErrBusy:
		return "busy"
	case ErrPeerBusy:
		return "peer"
	case ErrRate:
		return "rate"
	case ErrPlain:
		return "plain"
	}
	return "connection"
}
