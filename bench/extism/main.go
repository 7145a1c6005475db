//go:build linux

// Command extism is the worker that runs checks in Extism. It is a module of its own, so
// that Extism has the wazero that it asks for, which is not that of the agent.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"

	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

func main() {
	if err := worker.Work(map[string]worker.Open{"Extism": open}, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "extism:", err)
		os.Exit(1)
	}
}

// open compiles modules in Extism as its documentation says: each once, and each
// run is an instance. https://github.com/extism/go-sdk
func open(ctx context.Context, j worker.Job, programs [][]byte) (worker.Asker, error) {
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
		i, args := j.Target(module, hold)
		var out bytes.Buffer
		plugin, err := plugins[i].Instance(ctx, extism.PluginInstanceConfig{
			ModuleConfig: config().WithArgs(append([]string{"check"}, args...)...).WithStdout(&out),
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
		return j.IsWell(i, out.String())
	}, nil
}

// config has the clocks and the randomness that a check needs, which a module of wazero
// lacks unless it is given them.
func config() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithSysWalltime().WithSysNanotime().WithSysNanosleep().WithRandSource(rand.Reader)
}
