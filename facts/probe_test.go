package facts

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// hang blocks until release is closed, whatever its context says, as statfs on
// a dead server does, and counts its calls.
type hang struct {
	release chan struct{}
	calls   atomic.Int32
}

func (h *hang) read(context.Context) (int, error) {
	h.calls.Add(1)
	<-h.release
	return 42, nil
}

func TestProbeHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hang{release: make(chan struct{})}
		p := probe[int]{read: h.read}
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := p.value(ctx, "thing")
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "thing: ") {
				t.Fatalf("error %v; want a deadline exceeded, after the name", err)
			}
		}
		if n := h.calls.Load(); n != 1 {
			t.Errorf("%d readings are under way; want one", n)
		}
		close(h.release)
		synctest.Wait()
		if v, err := p.value(t.Context(), "thing"); v != 42 || err != nil {
			t.Errorf("after it woke up: %v, %v; want 42", v, err)
		}
		if n := h.calls.Load(); n != 2 {
			t.Errorf("%d readings; a call after the first has ended makes a new one", n)
		}
	})
}

func TestProbeIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hang{release: make(chan struct{})}
		p := probe[int]{read: h.read}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if v, err := p.value(t.Context(), "thing"); v != 42 || err != nil {
					t.Errorf("%v, %v; want 42", v, err)
				}
			})
		}
		synctest.Wait()
		close(h.release)
		all.Wait()
		if n := h.calls.Load(); n != 1 {
			t.Errorf("%d readings for callers at the same time; want one", n)
		}
	})
}

// One caller that leaves must not end the reading of the others.
func TestProbeOutlivesItsFirstCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := probe[int]{read: func(ctx context.Context) (int, error) {
			return 1, wait(ctx, 2*time.Second)
		}}
		first, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go p.value(first, "thing")
		synctest.Wait()
		if v, err := p.value(t.Context(), "thing"); v != 1 || err != nil {
			t.Errorf("%v, %v; want 1", v, err)
		}
	})
}

// A reading that heeds its context ends some time after everyone has left.
func TestProbeIsPatientForALimitedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := probe[int]{read: func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}}
		if _, err := p.value(t.Context(), "thing"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v; want a deadline exceeded", err)
		}
	})
}

func TestProbePanics(t *testing.T) {
	t.Parallel()
	p := probe[int]{read: func(context.Context) (int, error) { panic("index out of range") }}
	for range 2 {
		_, err := p.value(t.Context(), "thing")
		if err == nil || !strings.Contains(err.Error(), "index out of range") {
			t.Errorf("error %v; want the panic's text", err)
		}
	}
}
