package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"sync"

	goruntime "runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	preview1 "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A code is one program in a wazero runtime of its own, with the functions that
// it imports: so each has the engine that suits it and is freed whole.
type code struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache // nil without a directory
	module  wazero.CompiledModule
	program prepare.Program // but for its Wasm
}

// maxWorkers is the most functions of a program that are compiled at one time. Each may
// take some 300 MiB meanwhile, if it is made for that.
const maxWorkers = 4

// newCode compiles a prepared program, or finds it compiled in dir; what it compiles it
// leaves there. An empty dir is none.
//
// wazero looks at ctx between functions, and only if it has more than one worker.
func newCode(ctx context.Context, config wazero.RuntimeConfig, dir string, p prepare.Program, wasi []hostFunction) (c *code, err error) {
	wasm := p.Wasm
	p.Wasm = nil
	c = &code{program: p}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the engine cannot compile it: %v", p)
		}
		if err != nil {
			c.close()
			c = nil
		}
	}()
	config = config.WithCoreFeatures(api.CoreFeaturesV2).WithDebugInfoEnabled(false)
	if dir != "" {
		if c.cache, err = openCache(dir); err != nil {
			return c, err
		}
		config = config.WithCompilationCache(c.cache)
	}
	c.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	ctx = experimental.WithCompilationWorkers(ctx, min(max(2, goruntime.GOMAXPROCS(0)), maxWorkers))
	if c.module, err = c.runtime.CompileModule(ctx, wasm); err != nil {
		return c, err
	}
	if err = instantiate(ctx, c.runtime, preview1.ModuleName, wasi); err != nil {
		return c, err
	}
	return c, instantiate(ctx, c.runtime, prepare.TickModule, tickFunctions())
}

// cacheOpening is held while wazero opens a cache: it then finds out its own
// version and keeps it in a variable that nothing guards.
var cacheOpening sync.Mutex

func openCache(dir string) (wazero.CompilationCache, error) {
	cacheOpening.Lock()
	defer cacheOpening.Unlock()
	return wazero.NewCompilationCacheWithDir(dir)
}

// close frees the code. Nothing may run it.
func (c *code) close() {
	if c == nil {
		return
	}
	ctx := context.Background()
	if c.runtime != nil {
		_ = c.runtime.Close(ctx)
	}
	if c.cache != nil {
		_ = c.cache.Close(ctx)
	}
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
const cacheFormat = 2

// cacheKey is what the code of a program is kept under: it depends on the program
// and its limits, on how programs are prepared, on wazero and on the system.
func cacheKey(wasm []byte, limits policy.Limits) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %d %s %s %s\n%+v\n", cacheFormat, prepare.Version, wazeroVersion(), goruntime.GOOS, goruntime.GOARCH, keyOf(wasm, limits))
	return hex.EncodeToString(sum.Sum(nil))
}

// wazeroVersion is the version of the wazero that this binary was built with.
func wazeroVersion() string {
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
}
