//go:build linux

package checks

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing/fstest"

	"github.com/wasmagent/wasmagent/agent"
	wacheck "github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// openSandbox loads modules into an agent, as it is by default: every run goes through
// the dispatcher, is metered and limited, and its output is decoded.
func openSandbox(ctx context.Context, j job) (asker, error) {
	programs, err := j.programs()
	if err != nil {
		return nil, err
	}
	engine, err := runtime.NewEngine(runtime.Config{CacheDir: filepath.Join(j.Cache, "agent")})
	if err != nil {
		return nil, err
	}
	scripts, err := providers.New(providers.Config{Engine: engine, UnpackDir: filepath.Join(j.Cache, "unpacked")})
	if err != nil {
		return nil, err
	}
	a, names := agent.New(agent.Config{Providers: scripts}), make([]string, len(programs))
	modules := make([]*zipmod.Module, len(programs))
	for i, program := range programs {
		names[i] = fmt.Sprintf("check_%04d", i)
		if modules[i], err = module(names[i], program); err != nil {
			return nil, err
		}
	}
	_, err = a.Apply(ctx, agent.Selection{
		Modules: modules,
		Find: func(name string, _ *zipmod.Module) (*zipmod.Module, error) {
			return nil, fmt.Errorf("there is no module %q", name)
		},
		Grants: func(string) agent.Settings { return agent.Settings{} },
		Same:   func(string) bool { return true },
	})
	return func(ctx context.Context, module int, hold bool) error {
		i, args := j.target(module, hold)
		r, err := a.Run(ctx, wacheck.Request{Command: names[i], Args: args})
		if err != nil {
			return err
		}
		if r.State != wacheck.StateOK || len(r.Perf) != 1 {
			return fmt.Errorf("the answer is %v %q with %d performance data", r.State, r.Text, len(r.Perf))
		}
		return j.isWell(i, r.Text)
	}, err
}

// module is a zip module with one program.
func module(name string, wasm []byte) (*zipmod.Module, error) {
	manifest, err := json.Marshal(map[string]any{"name": "Benchmark", "scripts": []string{"scripts/*.wasm"}})
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	files := fstest.MapFS{"module.json": {Data: manifest}, "scripts/" + name + ".wasm": {Data: wasm}}
	if err := errors.Join(w.AddFS(files), w.Close()); err != nil {
		return nil, err
	}
	return zipmod.Read("module_"+name, archive.Bytes(), zipmod.Options{})
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
