//go:build linux

package checks

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	preview1 "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// openWazero compiles modules in wazero as its documentation says: each once, and each
// run is an instance. There is no limit and no meter. https://wazero.io/docs/
func openWazero(ctx context.Context, j worker.Job, programs [][]byte) (worker.Asker, error) {
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(j.Cache, "wazero"))
	if err != nil {
		return nil, err
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	if _, err := preview1.Instantiate(ctx, r); err != nil {
		return nil, err
	}
	modules := make([]wazero.CompiledModule, len(programs))
	for i, program := range programs {
		if modules[i], err = r.CompileModule(ctx, program); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, module int, hold bool) error {
		i, args := j.Target(module, hold)
		var out bytes.Buffer
		instance, err := r.InstantiateModule(ctx, modules[i], real().WithName("").WithArgs(append([]string{"check"}, args...)...).WithStdout(&out).
			WithStartFunctions("_start", "_initialize"))
		if err == nil {
			if check := instance.ExportedFunction("check"); check != nil {
				_, err = check.Call(ctx)
			}
			err = errors.Join(err, instance.Close(ctx))
		}
		if exit := new(sys.ExitError); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 0) {
			return err
		}
		return j.IsWell(i, out.String())
	}, nil
}

// real are the clocks and the randomness that a check needs, which a module of wazero
// lacks unless it is given them.
func real() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithSysWalltime().WithSysNanotime().WithSysNanosleep().WithRandSource(rand.Reader)
}
