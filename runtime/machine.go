package runtime

import (
	"context"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	preview1 "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmagent/wasmagent/runtime/internal/codecache"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A machine is a wazero runtime for many programs, with the functions that they import.
type machine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache // nil without a directory
	dir     *codecache.Draft        // where wazero looks for compiled code; nil is nowhere

	open   int // programs that it has; under machines.mu
	closed int // programs that it had
}

// openings is held while a machine is made: wazero then finds out its own version
// and keeps it in a variable that nothing guards.
var openings sync.Mutex

// newMachine makes a machine. In a directory it looks for compiled code, and leaves
// there what it compiles; it then owns the directory.
func newMachine(config wazero.RuntimeConfig, dir *codecache.Draft) (*machine, error) {
	openings.Lock()
	defer openings.Unlock()
	m := &machine{dir: dir}
	config = config.WithCoreFeatures(api.CoreFeaturesV2).WithDebugInfoEnabled(false)
	if dir != nil {
		var err error
		if m.cache, err = wazero.NewCompilationCacheWithDir(dir.Dir()); err != nil {
			dir.Discard()
			return nil, err
		}
		config = config.WithCompilationCache(m.cache)
	}
	m.runtime = wazero.NewRuntimeWithConfig(context.Background(), config)
	return m, nil
}

// provide gives a machine the functions that programs import.
func (m *machine) provide(wasi []hostFunction) error {
	ctx := context.Background()
	if err := instantiate(ctx, m.runtime, preview1.ModuleName, wasi); err != nil {
		return err
	}
	return instantiate(ctx, m.runtime, prepare.TickModule, tickFunctions())
}

// close frees the machine with all that it has compiled.
func (m *machine) close() {
	ctx := context.Background()
	_ = m.runtime.Close(ctx)
	if m.cache != nil {
		_ = m.cache.Close(ctx)
		m.dir.Discard()
	}
}

// maxClosed is how many programs a machine may have had. wazero keeps the types of
// their functions, up to a megabyte each, for as long as the machine lives.
const maxClosed = 256

// Machines are one machine for many programs, and then the next one.
type machines struct {
	make func() (*machine, error)

	mu   sync.Mutex // guards what follows, and counts of machines
	last *machine   // for programs to come; nil if there is none yet
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

// take returns the machine for a program, which has to be given back.
func (s *machines) take() (*machine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		var err error
		if s.last, err = s.make(); err != nil {
			return nil, err
		}
	}
	s.last.open++
	return s.last, nil
}

// give gives a machine back of which a program was closed.
func (s *machines) give(m *machine) {
	s.mu.Lock()
	m.open--
	m.closed++
	if m == s.last && m.closed >= maxClosed {
		s.last = nil
	}
	unused := m.open == 0 && m != s.last
	s.mu.Unlock()
	if unused {
		m.close()
	}
}

// close closes the last machine. All programs must be closed.
func (s *machines) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		s.last.close()
		s.last = nil
	}
}

// compile makes a module in the machine for programs to come.
func (s *machines) compile(ctx context.Context, wasm []byte) (*module, error) {
	return s.module(func(m *machine) (wazero.CompiledModule, error) { return compile(ctx, m.runtime, wasm) })
}
