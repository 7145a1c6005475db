package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tetratelabs/wazero"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/codecache"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// maxCompilations is the most programs that are compiled at one time. Each takes
// up to maxWorkers processors for itself, and much memory.
const maxCompilations = 4

// maxInterpreted is the most instructions of a program that is only interpreted. In
// memory each takes some 75 bytes.
const maxInterpreted = 10_000_000

// load makes a program ready to run. Nobody waits for what can be done later.
func (e *Engine) load(ctx context.Context, name string, wasm []byte, limits policy.Limits, key unitKey) (*unit, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.life, func() { cancel(ErrClosed) })()
	l := &loading{engine: e, name: name, limits: limits}
	if e.cache != nil && !e.config.Interpret && hasCompiler() {
		l.key = recordKey(key)
	}
	if err := l.prepare(ctx, wasm); err != nil {
		return nil, err
	}
	defer l.origin.close()
	u, err := l.unit(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return u, err
}

// A loading is a program on its way to being ready to run.
type loading struct {
	engine *Engine
	name   string
	limits policy.Limits
	key    string // of the record in the cache; empty keeps none
	kept   bool   // whether it is there
	record record
	origin *origin
}

// prepare finds the program in the cache, which has only programs that were not
// refused, or prepares it.
func (l *loading) prepare(ctx context.Context, wasm []byte) error {
	select {
	case l.engine.slots <- struct{}{}:
		defer func() { <-l.engine.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if l.record, l.kept = l.engine.known(l.name, l.key); !l.kept {
		p, err := prepare.Prepare(wasm, l.limits)
		if err != nil {
			return err
		}
		l.record = record{p, codeKey(p.Wasm)}
	}
	if n := l.record.Program.Instructions; n > maxInterpreted && l.interpret() {
		return fmt.Errorf("the program has to be interpreted and has %d instructions, of which at most %d can be: build it smaller, or split its largest functions up so that it is compiled", n, maxInterpreted)
	}
	var err error
	l.origin, err = l.engine.newOrigin(l.record.Program)
	return err
}

// interpret tells whether the program is never compiled.
func (l *loading) interpret() bool {
	return l.engine.config.Interpret || l.record.Program.Interpret || !hasCompiler()
}

// unit makes the unit of the program.
func (l *loading) unit(ctx context.Context) (*unit, error) {
	switch {
	case l.interpret():
		return l.done(l.interpreted(ctx, 0))
	case l.engine.config.InterpretFirst:
		return l.first(ctx)
	}
	return l.done(l.compiled(ctx, turn{urgent: true}))
}

// done makes the unit of a program with the module that it stays with.
func (l *loading) done(m *share[moduleKey, *module], err error) (*unit, error) {
	if err != nil {
		return nil, err
	}
	l.keep()
	u := &unit{end: func() {}, settled: make(chan struct{})}
	close(u.settled)
	u.code.Store(l.code(m))
	return u, nil
}

// interpreted is the module of the program for the interpreter. Weight are the
// instructions that it takes from those that may wait.
func (l *loading) interpreted(ctx context.Context, weight int64) (*share[moduleKey, *module], error) {
	e := l.engine
	return e.modules.take(ctx, moduleKey{l.record.Code, false}, func() (*module, error) {
		if err := e.reserve(weight); err != nil {
			return nil, err
		}
		m, err := e.interpreters.compile(ctx, l.record.Program.Wasm)
		if err != nil {
			return nil, cmp.Or(e.reserve(-weight), err)
		}
		m.weight = weight
		return m, nil
	})
}

// found is the module of the program of which the cache has the code. The error is
// fs.ErrNotExist if it has none, or none that can be used.
func (l *loading) found(ctx context.Context) (*share[moduleKey, *module], error) {
	return l.engine.modules.take(ctx, moduleKey{l.record.Code, true}, l.link)
}

// compiled is the module of the program for the processor, which is compiled in its
// turn if the cache does not have it.
func (l *loading) compiled(ctx context.Context, t turn) (*share[moduleKey, *module], error) {
	e := l.engine
	t.instructions = l.record.Program.Instructions
	return e.modules.take(ctx, moduleKey{l.record.Code, true}, func() (*module, error) {
		m, err := l.link()
		if !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
		if err := e.turns.wait(ctx, t); err != nil {
			return nil, err
		}
		defer e.turns.end()
		return l.compile(ctx)
	})
}

// code is code that runs a module, held once.
func (l *loading) code(m *share[moduleKey, *module]) *code {
	o, live, standby := l.origin.use(), &l.engine.live, l.engine.standby
	c := &code{origin: o, runtime: m.value.machine.runtime, module: m.value.compiled, runs: &m.value.runs}
	c.holds.Store(1)
	live.Add(1)
	c.free = func() {
		standby.forget(c)
		o.close()
		m.release()
		live.Done()
	}
	return c
}

// link makes the module of which the cache has the code; see found. What cannot be
// used is removed.
func (l *loading) link() (*module, error) {
	if l.engine.cache == nil {
		return nil, fs.ErrNotExist
	}
	m, err := l.engine.linked(l.record)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.engine.unusable(l.name, err)
		err = fs.ErrNotExist
	}
	return m, err
}

// compile compiles the program, into the cache if that can be.
func (l *loading) compile(ctx context.Context) (*module, error) {
	ctx, stop := context.WithTimeoutCause(ctx, l.limits.CompileTime, fmt.Errorf(
		"compiling it takes longer than %v: build it smaller or raise the limit \"compile_time\"", l.limits.CompileTime))
	defer stop()
	defer l.engine.compiling(l.name)()
	m, unkept := (*module)(nil), error(nil)
	if l.engine.cache != nil {
		if unkept = l.engine.compileInto(ctx, l.record); unkept == nil {
			m, unkept = l.engine.linked(l.record)
		}
	}
	if m == nil {
		var err error
		if m, err = l.engine.processors.compile(ctx, l.record.Program.Wasm); err != nil {
			return nil, cmp.Or(context.Cause(ctx), err)
		}
	}
	if unkept != nil && !errors.Is(unkept, codecache.ErrNoCode) { // as on processors that wazero has no compiler for
		l.engine.notKept(l.name, unkept)
	}
	return m, nil
}

// keep keeps the record of the program in the cache, which has been found right.
func (l *loading) keep() {
	if l.kept || l.key == "" {
		return
	}
	entry, err := l.record.encode()
	if err == nil {
		err = l.engine.cache.Write(l.key, entry)
	}
	if err != nil {
		l.engine.notKept(l.name, err)
	}
}

// known is the record of a program that the cache has. What cannot be used is removed.
func (e *Engine) known(name, key string) (record, bool) {
	if key == "" {
		return record{}, false
	}
	r, err := e.read(key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.unusable(name, errors.Join(err, e.cache.Remove(key)))
	}
	return r, err == nil
}

// read reads a record.
func (e *Engine) read(key string) (record, error) {
	entry, err := e.cache.Read(key)
	if err != nil {
		return record{}, err
	}
	return decode(entry)
}

// linked is the module of which the cache has the code. The error is fs.ErrNotExist
// if it has none. What cannot be used is removed.
func (e *Engine) linked(r record) (*module, error) {
	// wazero looks at a context only to compile: with one that has ended it uses the
	// code that it finds, and compiles nothing where it should have found it.
	ended, end := context.WithCancel(context.Background())
	end()
	return e.finders.module(func(m *machine) (wazero.CompiledModule, error) {
		file, err := e.cache.Link(r.Code, m.dir)
		if err != nil {
			return nil, err
		}
		defer os.Remove(file)
		compiled, err := compile(ended, m.runtime, r.Program.Wasm)
		if err != nil {
			err = errors.Join(err, e.cache.Remove(r.Code))
		}
		return compiled, err
	})
}

// compileInto compiles a program into the cache, with a machine that lives as long
// as that takes.
func (e *Engine) compileInto(ctx context.Context, r record) error {
	draft, err := e.cache.Draft()
	if err != nil {
		return err
	}
	defer draft.Discard()
	m, err := newMachine(wazero.NewRuntimeConfig(), draft)
	if err != nil {
		return err
	}
	defer m.close()
	if _, err := compile(ctx, m.runtime, r.Program.Wasm); err != nil {
		return err
	}
	return draft.Publish(r.Code)
}

// compiling tells Config.Compiling of a compilation, and returns what tells it of
// the end.
func (e *Engine) compiling(name string) (done func()) {
	if e.config.Compiling == nil {
		return func() {}
	}
	return e.config.Compiling(name)
}

func (e *Engine) unusable(name string, err error) {
	e.config.Log.Warn("compiled code in the cache cannot be used; compiling anew", "program", name, "error", err)
}

func (e *Engine) notKept(name string, err error) {
	e.config.Log.Warn("compiled code is not kept in the cache", "program", name, "error", err)
}
