package access

import (
	"context"
	"net/netip"
	goruntime "runtime"
	"slices"
	"sync"
	"time"
)

const (
	// maxVerifying is the most passwords that are verified at one time, of which
	// each takes a processor and the memory of its hash.
	maxVerifying = 4
	// maxQueue and maxPeerQueue are the most requests that wait, of all peers and of
	// one.
	maxQueue, maxPeerQueue = 128, 32
	// wrongBurst is how many wrong passwords a peer gives for nothing, and
	// wrongPace the time that each takes from then on.
	wrongBurst, wrongPace = 20, time.Second / 5
	// maxHeld is how long the answer to a wrong password is held at most: for what
	// the peer's take.
	maxHeld = time.Second
)

// A queue is where passwords wait until they are verified. Peers take turns, so that one
// who guesses delays itself; a peer that has guessed wrong too often has to wait
// for its turn. If the queue is full, whoever has the most places in it loses the
// last of them to who has fewer.
//
// The answer to a wrong password is held for a while, so that whoever guesses does
// not take the place again that it has just left.
//
// So whoever has the right password gets in if it is patient. It competes only
// with those who guess from the same address, and only until its password has been
// verified once.
type queue struct {
	mu      sync.Mutex
	free    int // verifications that may begin
	waiting int
	peers   map[netip.Prefix]*peerQueue // those that wait or have been wrong lately
	turns   []*peerQueue                // those that wait, the next one first
	wake    *time.Timer                 // for when the next one has waited long enough; nil if none has to
}

// A peerQueue is the part of the queue that is one peer's.
type peerQueue struct {
	waiters []*waiter
	paid    time.Time // until when its wrong passwords take, at wrongPace each
}

// A waiter is one request that waits.
type waiter struct {
	user string
	turn chan error // receives once: nil when it is its turn, else ErrThrottled
}

func newQueue() *queue {
	return &queue{free: min(max(goruntime.GOMAXPROCS(0)/2, 1), maxVerifying), peers: map[netip.Prefix]*peerQueue{}}
}

// enter waits for a turn to verify a password for a user. Whoever gets it must
// leave, and say whether the password was right; the answer is to be held for as
// long as that returns.
func (q *queue) enter(ctx context.Context, peer netip.Addr, user string) (leave func(right bool) (held time.Duration), err error) {
	network, w := network(peer), &waiter{user: user, turn: make(chan error, 1)}
	q.mu.Lock()
	p := q.join(network, w)
	q.mu.Unlock()
	select {
	case err = <-w.turn:
	case <-ctx.Done():
		err = q.abandon(p, w, ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return func(right bool) time.Duration { return q.leave(network, right) }, nil
}

// network is what counts as one peer: an IPv4 address, or the 64 bits of IPv6
// that one subscriber has at least.
func network(peer netip.Addr) netip.Prefix {
	peer = plain(peer)
	p, _ := peer.Prefix(min(peer.BitLen(), 64)) // zero of the zero address
	return p
}

// peer is the queue of a peer, made if there is none.
func (q *queue) peer(network netip.Prefix) *peerQueue {
	p := q.peers[network]
	if p == nil {
		p = &peerQueue{}
		q.peers[network] = p
	}
	return p
}

// join puts a waiter at the end of its peer's queue, or sends one away.
func (q *queue) join(network netip.Prefix, w *waiter) *peerQueue {
	p := q.peer(network)
	if len(p.waiters) >= maxPeerQueue && !q.displace(p, w.user) || q.waiting >= maxQueue && !q.displaceAny(p) {
		w.turn <- ErrThrottled
		return p
	}
	if len(p.waiters) == 0 {
		q.turns = append(q.turns, p)
	}
	p.waiters = append(p.waiters, w)
	q.waiting++
	q.next()
	return p
}

// displace sends away the last waiter of the user who has the most in a peer's
// queue, unless a newcomer's user would have as many then.
func (q *queue) displace(p *peerQueue, user string) bool {
	count := map[string]int{}
	for _, w := range p.waiters {
		count[w.user]++
	}
	var last *waiter
	for _, w := range p.waiters {
		if last == nil || count[w.user] >= count[last.user] {
			last = w
		}
	}
	if count[last.user] <= count[user]+1 {
		return false
	}
	q.remove(p, last)
	last.turn <- ErrThrottled
	return true
}

// displaceAny does so with the longest queue of a peer, in favour of another.
func (q *queue) displaceAny(p *peerQueue) bool {
	longest := slices.MaxFunc(q.turns, func(a, b *peerQueue) int { return len(a.waiters) - len(b.waiters) })
	if len(longest.waiters) <= len(p.waiters)+1 {
		return false
	}
	last := longest.waiters[len(longest.waiters)-1]
	q.remove(longest, last)
	last.turn <- ErrThrottled
	return true
}

// remove takes a waiter out, and tells whether it was still there.
func (q *queue) remove(p *peerQueue, w *waiter) bool {
	i := slices.Index(p.waiters, w)
	if i < 0 {
		return false
	}
	p.waiters = slices.Delete(p.waiters, i, i+1)
	q.waiting--
	if len(p.waiters) == 0 {
		q.turns = slices.DeleteFunc(q.turns, func(other *peerQueue) bool { return other == p })
	}
	return true
}

// next gives turns to those who wait, as long as there are any to give, and each
// peer one before it has another.
func (q *queue) next() {
	now := time.Now()
	for q.free > 0 {
		i := slices.IndexFunc(q.turns, func(p *peerQueue) bool { return p.delay(now) <= 0 })
		if i < 0 {
			break
		}
		p := q.turns[i]
		q.turns = append(slices.Delete(q.turns, i, i+1), p)
		w := p.waiters[0]
		q.remove(p, w)
		q.free--
		w.turn <- nil
	}
	q.rest(now)
}

// rest has next called when the first of those who wait has waited long enough,
// unless a verification ends before, which calls it as well.
func (q *queue) rest(now time.Time) {
	if q.wake != nil {
		q.wake.Stop()
		q.wake = nil
	}
	if q.free == 0 || len(q.turns) == 0 {
		return
	}
	soonest := slices.MinFunc(q.turns, func(a, b *peerQueue) int { return a.paid.Compare(b.paid) })
	q.wake = time.AfterFunc(soonest.delay(now), func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.next()
	})
}

// delay is how long a peer has to wait for what it has guessed wrong.
func (p *peerQueue) delay(now time.Time) time.Duration {
	return p.paid.Add(-(wrongBurst - 1) * wrongPace).Sub(now)
}

// leave makes room for the next one, and forgets the peers that are even.
func (q *queue) leave(network netip.Prefix, right bool) (held time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.free++
	if !right {
		held = min(q.charge(network, now), maxHeld)
	}
	for n, p := range q.peers {
		if len(p.waiters) == 0 && !now.Before(p.paid) {
			delete(q.peers, n)
		}
	}
	q.next()
	return held
}

// charge counts a wrong password of a peer, and returns what all of its take yet.
func (q *queue) charge(network netip.Prefix, now time.Time) time.Duration {
	p := q.peer(network)
	if p.paid.Before(now) {
		p.paid = now
	}
	p.paid = p.paid.Add(wrongPace)
	return p.paid.Sub(now)
}

// abandon takes a waiter out whose request has ended. A turn that it was given in
// that moment goes to the next.
func (q *queue) abandon(p *peerQueue, w *waiter, cause error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.remove(p, w) && <-w.turn == nil {
		q.free++
		q.next()
	}
	return cause
}
