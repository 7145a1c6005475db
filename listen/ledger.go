package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/wasmagent/wasmagent/internal/rate"
)

// A ledger counts who is connected and what is in flight. The zero ledger is empty.
type ledger struct {
	mu       sync.Mutex
	conns    map[*Conn]struct{}
	peers    map[netip.Prefix]*peer
	requests int
}

// maxPeers is when peers that have left are forgotten. Whoever has a connection is
// kept beyond it.
const maxPeers = 4096

// A peer is what one address does.
type peer struct {
	conns, requests      int
	connected, requested rate.Bucket
}

// An entry is what the ledger knows of one connection.
type entry struct {
	stage    stage
	since    time.Time // when it came to its stage
	requests int       // in flight
	peer     *peer     // nil until it is admitted
	gone     bool
}

// A stage is how far a connection has come. Who has come least far makes room
// first.
type stage uint8

const (
	arrived  stage = iota // not yet known to be allowed
	silent                // has sent no whole request
	kept                  // was answered
	answered              // a request is in flight
)

// add takes a connection in, in the place of one that waits if all are taken. It
// is false if none waits.
func (l *ledger) add(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= c.settings.Limits.Connections && !l.evict(nil) {
		return false
	}
	if l.conns == nil {
		l.conns, l.peers = make(map[*Conn]struct{}), make(map[netip.Prefix]*peer)
	}
	l.conns[c] = struct{}{}
	return true
}

// admit counts a connection for its peer.
func (l *ledger) admit(c *Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	limits, p, now := c.settings.Limits, l.peer(c.Peer), time.Now()
	switch {
	case c.entry.gone:
		return errEvicted
	case !p.connected.Take(now, 2*limits.PeerRate, 4*limits.PeerRate):
		return errors.New("this peer opens more connections a second than it may; raise peer_rate if it is a monitoring server")
	case p.conns >= limits.PeerConnections && !l.evict(p):
		return errors.New("this peer has as many connections open as it may, and a request in flight on each")
	}
	p.conns++
	c.entry.peer = p
	c.entry.move(silent)
	return nil
}

var errEvicted = fmt.Errorf("it made room for another one: %w", net.ErrClosed)

// evict closes the connection that has come least far, the longest ago, of a peer
// or of all. It is false if each has a request in flight.
func (l *ledger) evict(of *peer) bool {
	var victim *Conn
	for c := range l.conns {
		if c.entry.stage < answered && (of == nil || c.entry.peer == of) && (victim == nil || c.entry.before(&victim.entry)) {
			victim = c
		}
	}
	if victim == nil {
		return false
	}
	l.drop(victim)
	victim.wire.Close()
	return true
}

// drop takes a connection out of the counts.
func (l *ledger) drop(c *Conn) {
	if c.entry.gone {
		return
	}
	c.entry.gone = true
	delete(l.conns, c)
	if c.entry.peer != nil {
		c.entry.peer.conns--
	}
}

// remove takes out a connection that is over. It is false if it made room before.
func (l *ledger) remove(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	evicted := c.entry.gone
	l.drop(c)
	return !evicted
}

// cutAll closes all connections and counts them.
func (l *ledger) cutAll() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.wire.Close()
	}
	return len(l.conns)
}

// begin counts a request.
func (l *ledger) begin(c *Conn, limits Limits) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := c.entry.peer
	switch {
	case c.entry.gone:
		return ErrBusy
	case !p.requested.Take(time.Now(), limits.PeerRate, 2*limits.PeerRate):
		return ErrRate
	case l.requests >= limits.Requests:
		return ErrBusy
	case p.requests >= limits.PeerRequests:
		return ErrPeerBusy
	}
	l.requests++
	p.requests++
	c.entry.requests++
	c.answering.Add(1)
	c.entry.move(answered)
	return nil
}

// end is the end of what begin counted.
func (l *ledger) end(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.answering.Done()
	l.requests--
	c.entry.peer.requests--
	if c.entry.requests--; c.entry.requests == 0 {
		c.entry.move(kept)
	}
}

// peer finds what is known of an address.
func (l *ledger) peer(a netip.Addr) *peer {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	key, _ := a.Prefix(bits)
	if p := l.peers[key]; p != nil {
		return p
	}
	if len(l.peers) >= maxPeers {
		l.forget()
	}
	p := &peer{}
	l.peers[key] = p
	return p
}

// forget drops the peers that have left.
func (l *ledger) forget() {
	for key, p := range l.peers {
		if p.conns == 0 && p.requests == 0 {
			delete(l.peers, key)
		}
	}
}

func (e *entry) move(to stage) { e.stage, e.since = to, time.Now() }

// before tells whether e makes room before other.
func (e *entry) before(other *entry) bool {
	if e.stage != other.stage {
		return e.stage < other.stage
	}
	return e.since.Before(other.since)
}
