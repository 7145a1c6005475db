package listen

import (
	"cmp"
	"time"
)

// Limits bound a listener. Zero is the default, never "unlimited".
type Limits struct {
	// Connections is the most that are open at one time (1024). It should be more
	// than Requests, so that those over that limit can be told.
	Connections int
	// Requests is the most that are in flight at one time (256).
	Requests int
	// PeerConnections and PeerRequests are the same of one peer (256 and 128). A peer
	// is an IPv4 address, or the first 64 bits of an IPv6 address.
	PeerConnections, PeerRequests int
	// PeerRate is how many requests a second one peer may send in the long run (500),
	// and twice as many connections. It may send as many as two seconds allow at once.
	PeerRate float64
	// Request is how long a whole request may take to arrive, the first one from
	// the connection on, TLS included (10 s).
	Request time.Duration
	// Idle is how long a connection is kept open between requests (2 min).
	Idle time.Duration
	// Write is how long a peer may take to read one piece of an answer, at most
	// 16 KiB (30 s).
	Write time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Connections = cmp.Or(max(l.Connections, 0), 1024)
	l.Requests = cmp.Or(max(l.Requests, 0), 256)
	l.PeerConnections = cmp.Or(max(l.PeerConnections, 0), 256)
	l.PeerRequests = cmp.Or(max(l.PeerRequests, 0), 128)
	l.PeerRate = cmp.Or(max(l.PeerRate, 0), 500)
	l.Request = cmp.Or(max(l.Request, 0), 10*time.Second)
	l.Idle = cmp.Or(max(l.Idle, 0), 2*time.Minute)
	l.Write = cmp.Or(max(l.Write, 0), 30*time.Second)
	return l
}

// A Refusal is why a request is not served although it arrived whole. Its text is
// for the peer.
type Refusal string

// Error is the reason.
func (r Refusal) Error() string { return string(r) }

// The refusals of Conn.Begin.
const (
	ErrBusy       Refusal = "the agent answers as many requests as it may; ask again later"
	ErrPeerBusy   Refusal = "the agent answers as many requests of this peer as it may; ask again later"
	ErrRate       Refusal = "this peer sends more requests a second than it may; ask again later"
	ErrPlain      Refusal = "this port speaks TLS, and the client does not; ask with TLS"
	ErrNotAllowed Refusal = "this peer is not one of the allowed hosts"
)
