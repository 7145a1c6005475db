package runtime

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	goruntime "runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

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
	config  Config
	cache   *codecache.Cache // nil without a directory
	wasi    []hostFunction
	fdClose api.GoModuleFunc // wazero's own
	memory  *memory.Pool
	standby *standby
	dirs    hostfs.Pool
	slots   chan struct{} // one for each program that is prepared at one time
	turns   turns

	waiting atomic.Int64 // instructions that are interpreted until they are compiled
	room    atomic.Int64 // bytes that snapshots may still hold

	// Machines that interpret, that compile, and that find compiled code in the cache.
	interpreters, processors, finders *machines

	modules *shared[moduleKey, *module]
	units   *shared[unitKey, *unit]

	life context.Context // ends when the engine is closed
	end  context.CancelFunc

	live sync.WaitGroup // one for each program that is being made, and each code

	mu   sync.Mutex // guards what follows, and end
	open map[*Program]bool
}

// A unit is one program that is ready to run, for all who asked for it.
type unit struct {
	code    atomic.Pointer[code] // nil once nobody has the unit
	end     func()               // ends what is being done to replace the code
	settled chan struct{}        // closed when the code is what it stays, and err is set
	err     error                // why it is not compiled
}

func (u *unit) free() {
	u.end()
	u.code.Swap(nil).release()
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
		slots:  make(chan struct{}, goruntime.GOMAXPROCS(0)),
		turns:  turns{free: min(max(1, goruntime.GOMAXPROCS(0)/2), maxCompilations)},
		units:  newShared[unitKey]((*unit).free),
		open:   map[*Program]bool{},
	}
	e.room.Store(maxSnapshots)
	e.standby = newStandby(e)
	e.modules = newShared[moduleKey](func(m *module) {
		m.close()
		_ = e.reserve(-m.weight)
	})
	if e.config.Log == nil {
		e.config.Log = slog.Default()
	}
	var err error
	if config.CacheDir != "" {
		if e.cache, err = codecache.Open(config.CacheDir); err != nil {
			return nil, err
		}
	}
	if e.wasi, e.fdClose, err = wasiFunctions(); err != nil {
		return nil, err
	}
	e.interpreters = e.newMachines(wazero.NewRuntimeConfigInterpreter(), nil)
	e.processors = e.newMachines(wazero.NewRuntimeConfig(), nil)
	e.finders = e.newMachines(wazero.NewRuntimeConfig(), e.cache)
	e.life, e.end = context.WithCancel(context.Background())
	return e, nil
}

// Program makes a .wasm file ready to run. Name is what the compilation is called
// in Config.Compiling and the log. Programs of the same bytes and limits are
// compiled once, also when they are asked for at the same time; so are those that
// differ only in what their memory begins with. Each must be closed.
//
// The error says all that is wrong with the file, or that compiling it took longer
// than limits.CompileTime.
func (e *Engine) Program(ctx context.Context, name string, wasm []byte, limits policy.Limits) (*Program, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.live.Done()
	limits = limits.WithDefaults()
	key := keyOf(wasm, limits)
	u, err := e.units.take(ctx, key, func() (*unit, error) { return e.load(ctx, name, wasm, limits, key) })
	if err != nil {
		return nil, err
	}
	p := &Program{engine: e, unit: u}
	if err := e.opened(p); err != nil {
		u.release()
		return nil, err
	}
	return p, nil
}

// pressed tells whether memory is short.
func (e *Engine) pressed() bool { return e.config.Pressed != nil && e.config.Pressed() }

// enter keeps Close waiting until live is told that this is done.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.life.Err() != nil {
		return ErrClosed
	}
	e.live.Add(1)
	return nil
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

// drop closes a program, if it is open.
func (e *Engine) drop(p *Program) {
	e.mu.Lock()
	delete(e.open, p)
	e.mu.Unlock()
	if !p.closed.Swap(true) {
		p.unit.release()
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
	for _, m := range []*machines{e.interpreters, e.processors, e.finders} {
		m.close()
	}
	e.standby.close()
	e.memory.Close()
	return nil
}
