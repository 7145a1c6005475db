package runtime

import (
	"context"
	"errors"
	"io/fs"
	"sync"
)

// Shared are values that are made once for all who want them, and freed when the last
// of them lets go.
type shared[K comparable, V any] struct {
	free func(V)

	mu     sync.Mutex // guards what follows, and holds of shares
	shares map[K]*share[K, V]
}

// A share is one value, for all who hold it.
type share[K comparable, V any] struct {
	of    *shared[K, V]
	key   K
	holds int           // those who have it and those who wait for it; under of.mu
	ready chan struct{} // closed when what follows is set
	value V
	err   error
	stale bool // the one who was to make it gave up, or only looked for it, so that err is not for others
}

// newShared shares values that are freed so.
func newShared[K comparable, V any](free func(V)) *shared[K, V] {
	return &shared[K, V]{free: free, shares: map[K]*share[K, V]{}}
}

// take returns the value of a key, which is made if nobody has it. Whoever gets it
// has to release it. One that could not be made is tried anew by the next who asks.
func (s *shared[K, V]) take(ctx context.Context, key K, create func() (V, error)) (*share[K, V], error) {
	for {
		h, mine := s.claim(key)
		if mine {
			h.value, h.err = create()
			h.stale = ctx.Err() != nil || errors.Is(h.err, fs.ErrNotExist)
			h.settle()
		}
		err := h.wait(ctx)
		if err == nil {
			return h, nil
		}
		h.release()
		if mine || ctx.Err() != nil || !h.stale {
			return nil, err
		}
	}
}

// have returns the value of a key if somebody has it, else nil.
func (s *shared[K, V]) have(key K) *share[K, V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.shares[key]
	if h == nil {
		return nil
	}
	select {
	case <-h.ready:
		if h.err == nil {
			h.holds++
			return h
		}
	default:
	}
	return nil
}

// claim takes hold of the share under a key. It is the caller's to make if it is new.
func (s *shared[K, V]) claim(key K) (h *share[K, V], mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, found := s.shares[key]
	if !found {
		h = &share[K, V]{of: s, key: key, ready: make(chan struct{})}
		s.shares[key] = h
	}
	h.holds++
	return h, !found
}

// settle tells those who wait that the value is there, or that it cannot be made.
func (h *share[K, V]) settle() {
	if h.err != nil {
		h.of.mu.Lock()
		h.forget()
		h.of.mu.Unlock()
	}
	close(h.ready)
}

// forget makes the next who asks make it; under of.mu.
func (h *share[K, V]) forget() {
	if h.of.shares[h.key] == h {
		delete(h.of.shares, h.key)
	}
}

// wait waits until the value is there.
func (h *share[K, V]) wait(ctx context.Context) error {
	select {
	case <-h.ready:
		return h.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// release lets go of the value. Whoever is the last to do so frees it.
func (h *share[K, V]) release() {
	h.of.mu.Lock()
	h.holds--
	last := h.holds == 0
	if last {
		h.forget()
	}
	h.of.mu.Unlock()
	if last && h.err == nil {
		h.of.free(h.value)
	}
}
