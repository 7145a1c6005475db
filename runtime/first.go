package runtime

import (
	"context"
	"errors"
	"io/fs"
)

const (
	// maxWaiting is the most instructions, of all programs together, that are interpreted
	// until they are compiled. In memory each takes some 75 bytes.
	maxWaiting = 4_000_000
	// fewWaiting is how many wait without anybody asking whether memory is short.
	fewWaiting = 500_000
)

// errFull is why a program is not interpreted until it is compiled.
var errFull = errors.New("too many programs wait to be compiled")

// first makes the unit of a program that answers at once: compiled if that is at
// hand, else interpreted until it is compiled. One that does not fit in beside those
// that wait already is compiled first.
func (l *loading) first(ctx context.Context) (*unit, error) {
	m := l.engine.modules.have(moduleKey{l.record.Code, false})
	if m == nil { // nobody compiles it
		compiled, err := l.found(ctx)
		if !errors.Is(err, fs.ErrNotExist) {
			return l.done(compiled, err)
		}
		m, err = l.interpreted(ctx, int64(l.record.Program.Instructions))
		if errors.Is(err, errFull) {
			return l.done(l.compiled(ctx, turn{urgent: true}))
		}
		if err != nil {
			return nil, err
		}
	}
	return l.later(m), nil
}

// later makes a unit that is interpreted until it is compiled, which begins.
func (l *loading) later(m *share[moduleKey, *module]) *unit {
	ctx, end := context.WithCancel(context.Background())
	u := &unit{end: end, settled: make(chan struct{})}
	c := l.code(m)
	c.waits = true
	u.code.Store(c)
	l.origin.use()
	l.engine.live.Add(1)
	go func() {
		defer l.engine.live.Done()
		defer l.origin.close()
		defer close(u.settled)
		u.err = l.replace(ctx, u, turn{runs: c.runs})
	}()
	return u
}

// replace puts compiled code in the place of what a unit has. A unit that was freed
// has no use for it.
func (l *loading) replace(ctx context.Context, u *unit, t turn) error {
	m, err := l.compiled(ctx, t)
	switch {
	case ctx.Err() != nil && err != nil:
		return ErrClosed
	case err != nil:
		l.engine.config.Log.Warn("a program goes on in the interpreter, where it is slow, for it cannot be compiled", "program", l.name, "error", err)
		return err
	}
	l.keep()
	c, old := l.code(m), u.code.Load()
	if old == nil || !u.code.CompareAndSwap(old, c) {
		old = c
	}
	old.release()
	return nil
}

// reserve takes instructions from those that may wait, none while memory is short, or gives
// them back.
func (e *Engine) reserve(instructions int64) error {
	all := e.waiting.Add(instructions)
	if instructions <= 0 || all <= fewWaiting || all <= maxWaiting && !e.pressed() {
		return nil
	}
	e.waiting.Add(-instructions)
	return errFull
}
