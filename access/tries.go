package access

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"sync"
)

// tries are the passwords that are being verified. Requests of one peer with the
// same password share one verification, so that a client that opens many
// connections at one time has one place in the line.
type tries struct {
	mu  sync.Mutex
	all map[try]*outcome
}

// A try is a password, by its mark, from a peer.
type try struct {
	mark    [sha256.Size]byte
	network netip.Prefix
}

// An outcome is what comes of a try, when it is done.
type outcome struct {
	done  chan struct{}
	right bool
	err   error
}

// do verifies a password, or waits for whoever does. If that one's request ends
// before, the next one verifies it.
func (t *tries) do(ctx context.Context, which try, verify func() (bool, error)) (right bool, err error) {
	for {
		o, first := t.join(which)
		if first {
			o.right, o.err = verify()
			t.end(which, o)
			return o.right, o.err
		}
		select {
		case <-o.done:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if o.err == nil || o.err == ErrThrottled {
			return o.right, o.err
		}
	}
}

func (t *tries) join(which try) (o *outcome, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o, shared := t.all[which]; shared {
		return o, false
	}
	if t.all == nil {
		t.all = map[try]*outcome{}
	}
	o = &outcome{done: make(chan struct{})}
	t.all[which] = o
	return o, true
}

func (t *tries) end(which try, o *outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, which)
	close(o.done)
}
