package runtime

import (
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

// maxInterpreted is the most instructions of a program that is interpreted: in memory
// each takes some 60 bytes then.
const maxInterpreted = 10_000_000

// load prepares a program and compiles it, when its turn comes.
func (e *Engine) load(ctx context.Context, name string, wasm []byte, limits policy.Limits, key unitKey) (*unit, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.life, func() { cancel(ErrClosed) })()
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, stop := context.WithTimeoutCause(ctx, limits.CompileTime, fmt.Errorf(
		"compiling it takes longer than %v: build it smaller or raise the limit \"compile_time\"", limits.CompileTime))
	defer stop()
	c, err := e.code(ctx, name, wasm, limits, key)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	u := &unit{}
	u.code.Store(c)
	return u, nil
}

// code makes code of a program: from the cache, which has only programs that were
// not refused; or else prepared, and compiled or interpreted.
func (e *Engine) code(ctx context.Context, name string, wasm []byte, limits policy.Limits, key unitKey) (*code, error) {
	known := ""
	if e.cache != nil && !e.config.Interpret && hasCompiler() {
		known = recordKey(key)
	}
	if r, found := e.known(name, known); found {
		return e.compiled(ctx, name, r)
	}
	p, err := prepare.Prepare(wasm, limits)
	if err != nil {
		return nil, err
	}
	r := record{p, codeKey(p.Wasm)}
	interpret := e.config.Interpret || p.Interpret || !hasCompiler()
	switch {
	case interpret && p.Instructions > maxInterpreted:
		return nil, fmt.Errorf("the program has to be interpreted and has %d instructions, of which at most %d can be: build it smaller, or split its largest functions up so that it is compiled", p.Instructions, maxInterpreted)
	case interpret:
		return e.interpreted(ctx, r)
	}
	c, err := e.compiled(ctx, name, r)
	if err == nil && known != "" {
		e.keep(name, known, r)
	}
	return c, err
}

// known is the record of a program that the cache has. What cannot be used is removed.
func (e *Engine) known(name, key string) (record, bool) {
	if key == "" {
		return record{}, false
	}
	entry, err := e.cache.Read(key)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, false
	}
	r, err2 := record{}, err
	if err == nil {
		r, err2 = decode(entry)
	}
	if err2 != nil {
		e.unusable(name, errors.Join(err2, e.cache.Remove(key)))
	}
	return r, err2 == nil
}

// keep keeps the record of a program in the cache.
func (e *Engine) keep(name, key string, r record) {
	entry, err := r.encode()
	if err == nil {
		err = e.cache.Write(key, entry)
	}
	if err != nil {
		e.notKept(name, err)
	}
}

// interpreted makes code of a program for the interpreter.
func (e *Engine) interpreted(ctx context.Context, r record) (*code, error) {
	return e.codeOf(ctx, r, false, func() (*module, error) { return e.interpreters.compile(ctx, r.Program.Wasm) })
}

// compiled makes code of a program for the processor.
func (e *Engine) compiled(ctx context.Context, name string, r record) (*code, error) {
	return e.codeOf(ctx, r, true, func() (*module, error) {
		if e.cache == nil {
			defer e.compiling(name)()
			return e.processors.compile(ctx, r.Program.Wasm)
		}
		m, err := e.linked(r)
		if err == nil {
			return m, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			e.unusable(name, err)
		}
		defer e.compiling(name)()
		if err = e.compileInto(ctx, r); err == nil {
			m, err = e.linked(r)
		}
		if err == nil {
			return m, nil
		}
		m, again := e.processors.compile(ctx, r.Program.Wasm)
		if again != nil {
			return nil, again
		}
		e.notKept(name, err)
		return m, nil
	})
}

// codeOf makes code with the module that others have, or that is made.
func (e *Engine) codeOf(ctx context.Context, r record, compiled bool, create func() (*module, error)) (*code, error) {
	m, err := e.modules.take(ctx, moduleKey{r.Code, compiled}, create)
	if err != nil {
		return nil, err
	}
	c, err := e.newCode(r.Program, m)
	if err != nil {
		m.release()
	}
	return c, err
}

// newCode is code that runs a module, held once.
func (e *Engine) newCode(p prepare.Program, m *share[moduleKey, *module]) (*code, error) {
	o, err := newOrigin(p)
	if err != nil {
		return nil, err
	}
	c := &code{origin: o, runtime: m.value.machine.runtime, module: m.value.compiled}
	c.holds.Store(1)
	e.live.Add(1)
	c.free = func() {
		o.close()
		m.release()
		e.live.Done()
	}
	return c, nil
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

// newMachines are machines that find the functions that programs import. Those with
// a cache find code that was linked into a directory of theirs.
func (e *Engine) newMachines(config wazero.RuntimeConfig, cache *codecache.Cache) *machines {
	return &machines{make: func() (*machine, error) {
		var dir *codecache.Draft
		if cache != nil {
			var err error
			if dir, err = cache.Draft(); err != nil {
				return nil, err
			}
		}
		m, err := newMachine(config, dir)
		if err == nil {
			if err = m.provide(e.wasi); err != nil {
				m.close()
			}
		}
		return m, err
	}}
}
