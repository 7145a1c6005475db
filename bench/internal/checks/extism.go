//go:build linux

package checks

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
)

// openExtism compiles modules in Extism as its documentation says: each once, and each
// run is an instance. https://github.com/extism/go-sdk
func openExtism(ctx context.Context, j job, programs [][]byte) (asker, error) {
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(j.Cache, "extism"))
	if err != nil {
		return nil, err
	}
	plugins := make([]*extism.CompiledPlugin, len(programs))
	for i, program := range programs {
		plugins[i], err = extism.NewCompiledPlugin(ctx, extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: program}}},
			extism.PluginConfig{EnableWasi: true, RuntimeConfig: wazero.NewRuntimeConfig().WithCompilationCache(cache)}, nil)
		if err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, module int, hold bool) error {
		i, args := j.target(module, hold)
		var out bytes.Buffer
		plugin, err := plugins[i].Instance(ctx, extism.PluginInstanceConfig{
			ModuleConfig: real().WithArgs(append([]string{"check"}, args...)...).WithStdout(&out),
		})
		if err != nil {
			return err
		}
		defer plugin.Close(ctx)
		entry := "_start"
		if plugin.FunctionExists("check") {
			entry = "check"
		}
		if status, _, err := plugin.CallWithContext(ctx, entry, nil); err != nil || status != 0 {
			return fmt.Errorf("status %d: %w", status, err)
		}
		return j.isWell(i, out.String())
	}, nil
}
