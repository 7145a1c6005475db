package facts

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long a reading goes on after its last caller has left.
const patience = 30 * time.Second

// A probe bounds a reading that may hang, such as that of a file system whose
// server is gone. Callers leave when their context ends; the reading stays,
// there is never more than one, and callers that come meanwhile wait for it too.
type probe[T any] struct {
	read func(context.Context) (T, error)

	mu      sync.Mutex
	reading *reading[T]
}

// A reading is one call of a probe's read.
type reading[T any] struct {
	done  chan struct{} // closed once value and err are set
	value T
	err   error
}

// value reads the fact of that name, or joins the reading that is under way.
func (p *probe[T]) value(ctx context.Context, name string) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("%s: %w", name, err)
	}
	r := p.join(ctx)
	select {
	case <-r.done:
		if r.err != nil {
			return none, fmt.Errorf("%s: %w", name, r.err)
		}
		return r.value, nil
	case <-ctx.Done():
		return none, fmt.Errorf("%s: the system has not answered: %w", name, ctx.Err())
	}
}

func (p *probe[T]) join(ctx context.Context) *reading[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reading == nil {
		p.reading = &reading[T]{done: make(chan struct{})}
		go p.run(context.WithoutCancel(ctx), p.reading)
	}
	return p.reading
}

func (p *probe[T]) run(ctx context.Context, r *reading[T]) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.value, r.err = calm(ctx, p.read)
	p.mu.Lock()
	p.reading = nil
	p.mu.Unlock()
	close(r.done)
}

// calm calls read and turns a panic into an error: what the system hands out
// is parsed by code that is not ours, and must not end the agent.
func calm[T any](ctx context.Context, read func(context.Context) (T, error)) (value T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the answer of the system makes no sense: %v", v)
		}
	}()
	return read(ctx)
}
