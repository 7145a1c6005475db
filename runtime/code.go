package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	goruntime "runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A code is a program that is ready to run.
type code struct {
	origin  *origin
	runtime wazero.Runtime
	module  wazero.CompiledModule

	waits bool           // it is interpreted until it is compiled
	runs  *atomic.Uint64 // that have begun on its module

	holds atomic.Int64 // the runs, and one for being what new runs begin on
	free  func()       // called at zero, when nothing can hold it again
}

// hold keeps the code for a run. It tells whether that was still there.
func (c *code) hold() bool {
	for {
		n := c.holds.Load()
		if n == 0 {
			return false
		}
		if c.holds.CompareAndSwap(n, n+1) {
			c.runs.Add(1)
			return true
		}
	}
}

// release ends a hold.
func (c *code) release() {
	if c.holds.Add(-1) == 0 {
		c.free()
	}
}

// A module is WebAssembly that a machine has compiled, for all programs that differ
// only in their data.
type module struct {
	compiled wazero.CompiledModule
	machine  *machine
	of       *machines
	weight   int64 // instructions of those that may wait
	runs     atomic.Uint64
}

// A moduleKey is what modules are shared by.
type moduleKey struct {
	code     string // see codeKey
	compiled bool
}

// module compiles WebAssembly, or finds it compiled, in a machine.
func (s *machines) module(compile func(*machine) (wazero.CompiledModule, error)) (*module, error) {
	m, err := s.take()
	if err != nil {
		return nil, err
	}
	compiled, err := compile(m)
	if err != nil {
		s.give(m)
		return nil, err
	}
	return &module{compiled: compiled, machine: m, of: s}, nil
}

// close frees a module. Nothing may run it.
func (m *module) close() {
	_ = m.compiled.Close(context.Background())
	m.of.give(m.machine)
}

// maxWorkers is the most functions of a program that are compiled at one time. Each may
// take some 300 MiB meanwhile, if it is made for that.
const maxWorkers = 4

// compile compiles WebAssembly, or finds it compiled in the machine's directory. What
// panics in wazero is an error.
//
// wazero looks at ctx between functions, and only if it has more than one worker. It
// does not look at it where there is nothing to compile.
func compile(ctx context.Context, r wazero.Runtime, wasm []byte) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the engine cannot compile it: %v", p)
		}
	}()
	ctx = experimental.WithCompilationWorkers(ctx, min(max(2, goruntime.GOMAXPROCS(0)), maxWorkers))
	return r.CompileModule(ctx, wasm)
}

// hasCompiler tells whether wazero has a compiler for this system. On some
// processors of these it interprets nevertheless; then the cache stays empty.
func hasCompiler() bool {
	switch goruntime.GOARCH {
	case "amd64", "arm64":
	default:
		return false
	}
	switch goruntime.GOOS {
	case "linux", "darwin", "freebsd", "netbsd", "windows":
		return true
	}
	return false
}

// cacheFormat changes with what an entry of the cache holds.
const cacheFormat = 4

// recordKey is what the cache keeps the record of a program under: it depends on the
// program and its limits, on how programs are prepared, on wazero and on the system.
func recordKey(key unitKey) string {
	return cacheKey("record %d\n%+v\n", prepare.Version, key)
}

// codeKey is what the cache keeps the code of prepared WebAssembly under.
func codeKey(wasm []byte) string { return cacheKey("code %x\n", sha256.Sum256(wasm)) }

// cacheKey is a key that depends on what is formatted, on wazero and on the system.
func cacheKey(format string, args ...any) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %s %s %s\n", cacheFormat, wazeroVersion(), goruntime.GOOS, goruntime.GOARCH)
	fmt.Fprintf(sum, format, args...)
	return hex.EncodeToString(sum.Sum(nil))
}

// wazeroVersion is the version of the wazero that this binary was built with.
var wazeroVersion = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/tetratelabs/wazero" {
			return d.Version
		}
	}
	return ""
})
