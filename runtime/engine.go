package runtime

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	goruntime "runtime"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/codecache"
	"github.com/wasmagent/wasmagent/runtime/internal/hostfs"
	"github.com/wasmagent/wasmagent/runtime/internal/memory"
)

// ErrClosed is the error of a program that was asked for or run after it, or its
// Engine, was closed.
var ErrClosed = errors.New("the program is closed")

// keptMemory is how many bytes of the memory of runs that have ended are kept for
// later ones.
const keptMemory = 32 << 20

// An Engine makes programs.
type Engine struct {
	config Config
	cache  *codecache.Cache // nil without a directory
	wasi   []hostFunction
	memory *memory.Pool
	dirs   hostfs.Pool
	slots  chan struct{} // one for each compilation at one time

	life context.Context // ends when the engine is closed
	end  context.CancelFunc

	live sync.WaitGroup // one for each unit that is not yet freed

	mu    sync.Mutex // guards what follows, holds of units, and end
	units map[unitKey]*unit
	open  map[*Program]bool
}

// A unit is one program, compiled once for all who asked for it.
type unit struct {
	key   unitKey
	holds int           // Programs, runs and callers that wait; under Engine.mu
	ready chan struct{} // closed when what follows is set
	code  *code         // nil if err is set
	err   error
	stale bool // the caller who compiled it gave up, so that err is not for others
}

// A unitKey is all that what is compiled depends on: the program's bytes and the
// limits that are built into it or that it is refused by.
type unitKey struct {
	digest [sha256.Size]byte
	limits policy.Limits
}

func keyOf(wasm []byte, l policy.Limits) unitKey {
	return unitKey{sha256.Sum256(wasm), policy.Limits{
		Memory: l.Memory, Stack: l.Stack, TableEntries: l.TableEntries, Program: l.Program,
		Functions: l.Functions, CompiledBody: l.CompiledBody, Body: l.Body,
	}}
}

// NewEngine makes an Engine. The error says why Config.CacheDir cannot be used.
func NewEngine(config Config) (*Engine, error) {
	e := &Engine{
		config: config,
		memory: memory.NewPool(keptMemory),
		slots:  make(chan struct{}, min(maxCompilations, goruntime.GOMAXPROCS(0))),
		units:  map[unitKey]*unit{},
		open:   map[*Program]bool{},
	}
	if e.config.Log == nil {
		e.config.Log = slog.Default()
	}
	var err error
	if config.CacheDir != "" {
		if e.cache, err = codecache.Open(config.CacheDir); err != nil {
			return nil, err
		}
	}
	if e.wasi, err = wasiFunctions(); err != nil {
		return nil, err
	}
	e.life, e.end = context.WithCancel(context.Background())
	return e, nil
}

// Program makes a .wasm file ready to run. Name is what the compilation is called
// in Config.Compiling and the log. Programs of the same bytes and limits are
// compiled once, also when they are asked for at the same time; each must be
// closed.
//
// The error says all that is wrong with the file, or that compiling it took longer
// than limits.CompileTime.
func (e *Engine) Program(ctx context.Context, name string, wasm []byte, limits policy.Limits) (*Program, error) {
	limits = limits.WithDefaults()
	key := keyOf(wasm, limits)
	for {
		u, mine, err := e.claim(key)
		if err != nil {
			return nil, err
		}
		if mine {
			u.code, u.err = e.load(ctx, name, wasm, limits)
			u.stale = ctx.Err() != nil
			e.settle(u)
		}
		p, err := e.await(ctx, u)
		if again := err != nil && !mine && ctx.Err() == nil && u.stale; !again {
			return p, err
		}
	}
}

// claim takes hold of the unit under key. It is the caller's to compile if it is
// new.
func (e *Engine) claim(key unitKey) (u *unit, mine bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.life.Err() != nil {
		return nil, false, ErrClosed
	}
	u, found := e.units[key]
	if !found {
		u = &unit{key: key, ready: make(chan struct{})}
		e.units[key] = u
		e.live.Add(1)
	}
	u.holds++
	return u, !found, nil
}

// settle tells those who wait that a unit is ready. One that failed is forgotten,
// so that the next who asks tries anew.
func (e *Engine) settle(u *unit) {
	if u.err != nil {
		e.mu.Lock()
		e.forget(u)
		e.mu.Unlock()
	}
	close(u.ready)
}

// forget makes the next who asks for the unit's program compile it; under mu.
func (e *Engine) forget(u *unit) {
	if e.units[u.key] == u {
		delete(e.units, u.key)
	}
}

// await makes a Program of a unit when it is ready, or lets go of it.
func (e *Engine) await(ctx context.Context, u *unit) (*Program, error) {
	p := &Program{engine: e, unit: u}
	var err error
	select {
	case <-u.ready:
		err = u.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err == nil {
		err = e.opened(p)
	}
	if err != nil {
		e.release(u)
		return nil, err
	}
	return p, nil
}

// opened notes a new program.
func (e *Engine) opened(p *Program) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.life.Err() != nil {
		return ErrClosed
	}
	e.open[p] = true
	return nil
}

// hold takes hold of a program's unit for a run.
func (e *Engine) hold(p *Program) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open[p] {
		return ErrClosed
	}
	p.unit.holds++
	return nil
}

// drop closes a program, if it is open.
func (e *Engine) drop(p *Program) {
	e.mu.Lock()
	open := e.open[p]
	delete(e.open, p)
	e.mu.Unlock()
	if open {
		e.release(p.unit)
	}
}

// release lets go of a unit. Whoever is the last to do so frees its code, which
// nothing runs then.
func (e *Engine) release(u *unit) {
	e.mu.Lock()
	u.holds--
	last := u.holds == 0
	if last {
		e.forget(u)
	}
	e.mu.Unlock()
	if last {
		u.code.close()
		e.live.Done()
	}
}

// Close closes all programs, ends the compilations and waits for the runs that
// are in progress; end their contexts to have them end soon. Nothing can be made
// or run afterwards.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.end()
	open := slices.Collect(maps.Keys(e.open))
	e.mu.Unlock()
	for _, p := range open {
		e.drop(p)
	}
	e.live.Wait()
	e.memory.Close()
	return nil
}
