package runtime

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// maxCompilations is the most programs that are compiled at one time. Each takes
// up to maxWorkers processors for itself, and much memory.
const maxCompilations = 4

// maxInterpreted is the most instructions of a program that is interpreted: in memory
// each takes some 60 bytes then.
const maxInterpreted = 10_000_000

// load prepares a program and compiles it, when its turn comes.
func (e *Engine) load(ctx context.Context, name string, wasm []byte, limits policy.Limits) (*code, error) {
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
	c, err := e.code(ctx, name, wasm, limits)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return c, err
}

// code makes code of a program: from the cache, which has only programs that were
// not refused; or else prepared, and compiled or interpreted.
func (e *Engine) code(ctx context.Context, name string, wasm []byte, limits policy.Limits) (*code, error) {
	cached := e.cache != nil && !e.config.Interpret && hasCompiler()
	key := cacheKey(wasm, limits)
	if cached {
		if c := e.cached(ctx, name, key); c != nil {
			return c, nil
		}
	}
	p, err := prepare.Prepare(wasm, limits)
	interpret := e.config.Interpret || p.Interpret || !hasCompiler()
	switch {
	case err != nil:
		return nil, err
	case interpret && p.Instructions > maxInterpreted:
		return nil, fmt.Errorf("the program has to be interpreted and has %d instructions, of which at most %d can be: build it smaller, or split its largest functions up so that it is compiled", p.Instructions, maxInterpreted)
	case interpret:
		return newCode(ctx, wazero.NewRuntimeConfigInterpreter(), "", p, e.wasi)
	}
	defer e.compiling(name)()
	if !cached {
		return e.newCode(ctx, "", p)
	}
	return e.compileInto(ctx, name, key, p)
}

// newCode compiles with what compiler this processor has.
func (e *Engine) newCode(ctx context.Context, dir string, p prepare.Program) (*code, error) {
	return newCode(ctx, wazero.NewRuntimeConfig(), dir, p, e.wasi)
}

// compiling tells Config.Compiling of a compilation, and returns what tells it of
// the end.
func (e *Engine) compiling(name string) (done func()) {
	if e.config.Compiling == nil {
		return func() {}
	}
	return e.config.Compiling(name)
}

// cached is the code that the cache has under key, or nil. What cannot be used is
// removed.
func (e *Engine) cached(ctx context.Context, name, key string) *code {
	dir, err := e.cache.Find(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var c *code
	if err == nil {
		c, err = e.reopen(ctx, dir)
		if err != nil && ctx.Err() == nil {
			err = errors.Join(err, e.cache.Remove(key))
		}
	}
	if err != nil {
		e.config.Log.Warn("compiled code in the cache cannot be used; compiling anew", "program", name, "error", err)
	}
	return c
}

// preparedName is the file of an entry of the cache that holds the program as it
// was compiled, a prepare.Program (https://pkg.go.dev/encoding/gob).
const preparedName = "prepared"

// reopen is the code in the directory of an entry.
func (e *Engine) reopen(ctx context.Context, dir string) (*code, error) {
	file, err := os.ReadFile(filepath.Join(dir, preparedName))
	if err != nil {
		return nil, err
	}
	var p prepare.Program
	if err := gob.NewDecoder(bytes.NewReader(file)).Decode(&p); err != nil {
		return nil, err
	}
	return e.newCode(ctx, dir, p)
}

// compileInto compiles a prepared program and leaves the code in the cache under key. If
// the cache cannot have it, the program is compiled without.
func (e *Engine) compileInto(ctx context.Context, name, key string, p prepare.Program) (*code, error) {
	draft, err := e.cache.Draft()
	if err != nil {
		e.notKept(name, err)
		return e.newCode(ctx, "", p)
	}
	defer draft.Discard()
	c, err := e.newCode(ctx, draft.Dir(), p)
	if err != nil {
		if c, again := e.newCode(ctx, "", p); again == nil {
			e.notKept(name, err)
			return c, nil
		}
		return nil, err
	}
	var file bytes.Buffer
	err = gob.NewEncoder(&file).Encode(p)
	if err == nil {
		err = os.WriteFile(filepath.Join(draft.Dir(), preparedName), file.Bytes(), 0o600)
	}
	if err == nil {
		err = draft.Publish(key)
	}
	if err != nil {
		e.notKept(name, err)
	}
	return c, nil
}

func (e *Engine) notKept(name string, err error) {
	e.config.Log.Warn("compiled code is not kept in the cache", "program", name, "error", err)
}
