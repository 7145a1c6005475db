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
	// maxLine and maxPeerLine are the most requests that wait, of all peers and of
	// one.
	maxLine, maxPeerLine = 128, 32
	// wrongBurst is how many wrong passwords a peer gives for nothing, and
	// wrongPace the time that each takes from then on.
	wrongBurst, wrongPace = 20, time.Second / 5
	// maxHeld is how long the answer to a wrong password is held at most: for what
	// the peer's take.
	maxHeld = time.Second
)

// A line is where passwords wait to be verified. Peers take turns, so that one
// who guesses delays itself; a peer that has guessed wrong too often has to wait
// for its turn. If the line is full, whoever has the most places in it loses the
// last of them to who has fewer.
//
// The answer to a wrong password is held for a while, so that whoever guesses does
// not take the place again that it has just left.
//
// So whoever has the right password gets in if it is patient. It competes only
// with those who guess from the same address, and only until its password has been
// verified once.
type line struct {
	mu      sync.Mutex
	free    int // verifications that may begin
	waiting int
	peers   map[netip.Prefix]*peerLine // those that wait or have been wrong lately
	turns   []*peerLine                // those that wait, the next one first
	wake    *time.Timer                // for when the next one has waited long enough; nil if none has to
}

// A peerLine is the part of the line that is one peer's.
type peerLine struct {
	waiters []*waiter
	paid    time.Time // until when its wrong passwords take, at wrongPace each
}

// A waiter is one request that waits.
type waiter struct {
	user string
	turn chan error // receives once: nil when it is its turn, else ErrThrottled
}

func newLine() *line {
	return &line{free: min(max(goruntime.GOMAXPROCS(0)/2, 1), maxVerifying), peers: map[netip.Prefix]*peerLine{}}
}

// enter waits for a turn to verify a password for a user. Whoever gets it must
// leave, and say whether the password was right; the answer is to be held for as
// long as that returns.
func (l *line) enter(ctx context.Context, peer netip.Addr, user string) (leave func(right bool) (held time.Duration), err error) {
	network, w := network(peer), &waiter{user: user, turn: make(chan error, 1)}
	l.mu.Lock()
	p := l.join(network, w)
	l.mu.Unlock()
	select {
	case err = <-w.turn:
	case <-ctx.Done():
		err = l.abandon(p, w, ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return func(right bool) time.Duration { return l.leave(network, right) }, nil
}

// network is what counts as one peer: an IPv4 address, or the 64 bits of IPv6
// that one subscriber has at least.
func network(peer netip.Addr) netip.Prefix {
	peer = plain(peer)
	p, _ := peer.Prefix(min(peer.BitLen(), 64)) // zero of the zero address
	return p
}

// join puts a waiter at the end of its peer's line, or sends one away.
func (l *line) join(network netip.Prefix, w *waiter) *peerLine {
	p := l.peers[network]
	if p == nil {
		p = &peerLine{}
		l.peers[network] = p
	}
	if len(p.waiters) >= maxPeerLine && !l.displace(p, w.user) || l.waiting >= maxLine && !l.displaceAny(p) {
		w.turn <- ErrThrottled
		return p
	}
	if len(p.waiters) == 0 {
		l.turns = append(l.turns, p)
	}
	p.waiters = append(p.waiters, w)
	l.waiting++
	l.next()
	return p
}

// displace sends away the last waiter of the user who has the most in a peer's
// line, unless a newcomer's user would have as many then.
func (l *line) displace(p *peerLine, user string) bool {
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
	l.remove(p, last)
	last.turn <- ErrThrottled
	return true
}

// displaceAny does so with the longest line of a peer, in favour of another.
func (l *line) displaceAny(p *peerLine) bool {
	longest := slices.MaxFunc(l.turns, func(a, b *peerLine) int { return len(a.waiters) - len(b.waiters) })
	if len(longest.waiters) <= len(p.waiters)+1 {
		return false
	}
	last := longest.waiters[len(longest.waiters)-1]
	l.remove(longest, last)
	last.turn <- ErrThrottled
	return true
}

// remove takes a waiter out, and tells whether it was still there.
func (l *line) remove(p *peerLine, w *waiter) bool {
	i := slices.Index(p.waiters, w)
	if i < 0 {
		return false
	}
	p.waiters = slices.Delete(p.waiters, i, i+1)
	l.waiting--
	if len(p.waiters) == 0 {
		l.turns = slices.DeleteFunc(l.turns, func(other *peerLine) bool { return other == p })
	}
	return true
}

// next gives turns to those who wait, as long as there are any to give, and each
// peer one before it has another.
func (l *line) next() {
	now := time.Now()
	for l.free > 0 {
		i := slices.IndexFunc(l.turns, func(p *peerLine) bool { return p.delay(now) <= 0 })
		if i < 0 {
			break
		}
		p := l.turns[i]
		l.turns = append(slices.Delete(l.turns, i, i+1), p)
		w := p.waiters[0]
		l.remove(p, w)
		l.free--
		w.turn <- nil
	}
	l.rest(now)
}

// rest has next called when the first of those who wait has waited long enough,
// unless a verification ends before, which calls it as well.
func (l *line) rest(now time.Time) {
	if l.wake != nil {
		l.wake.Stop()
		l.wake = nil
	}
	if l.free == 0 || len(l.turns) == 0 {
		return
	}
	soonest := slices.MinFunc(l.turns, func(a, b *peerLine) int { return a.paid.Compare(b.paid) })
	l.wake = time.AfterFunc(soonest.delay(now), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.next()
	})
}

// delay is how long a peer has to wait for what it has guessed wrong.
func (p *peerLine) delay(now time.Time) time.Duration {
	return p.paid.Add(-(wrongBurst - 1) * wrongPace).Sub(now)
}

// leave makes room for the next one, and forgets the peers that are even.
func (l *line) leave(network netip.Prefix, right bool) (held time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.free++
	if !right {
		held = min(l.charge(network, now), maxHeld)
	}
	for n, p := range l.peers {
		if len(p.waiters) == 0 && !now.Before(p.paid) {
			delete(l.peers, n)
		}
	}
	l.next()
	return held
}

// charge counts a wrong password of a peer, and returns what all of its take yet.
func (l *line) charge(network netip.Prefix, now time.Time) time.Duration {
	p := l.peers[network]
	if p == nil {
		p = &peerLine{}
		l.peers[network] = p
	}
	if p.paid.Before(now) {
		p.paid = now
	}
	p.paid = p.paid.Add(wrongPace)
	return p.paid.Sub(now)
}

// abandon takes a waiter out whose request has ended. A turn that it was given in
// that moment goes to the next.
func (l *line) abandon(p *peerLine, w *waiter, cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.remove(p, w) && <-w.turn == nil {
		l.free++
		l.next()
	}
	return cause
}
