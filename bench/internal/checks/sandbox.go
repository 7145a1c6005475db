//go:build linux

package checks

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing/fstest"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// openSandbox loads modules into an agent, as it is by default: every run goes through
// the dispatcher, is metered and limited, and its output is decoded.
func openSandbox(ctx context.Context, j job, zips [][]byte) (asker, error) {
	engine, err := runtime.NewEngine(runtime.Config{CacheDir: filepath.Join(j.Cache, "agent")})
	if err != nil {
		return nil, err
	}
	scripts, err := providers.New(providers.Config{Engine: engine, UnpackDir: filepath.Join(j.Cache, "unpacked")})
	if err != nil {
		return nil, err
	}
	modules := make([]*zipmod.Module, len(zips))
	for i, zip := range zips {
		if modules[i], err = zipmod.Read(nameOf(i), zip, zipmod.Options{}); err != nil {
			return nil, err
		}
	}
	a := agent.New(agent.Config{Providers: scripts})
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
		r, err := a.Run(ctx, check.Request{Command: nameOf(i), Args: args})
		if err != nil {
			return err
		}
		if r.State != check.StateOK || len(r.Perf) != 1 {
			return fmt.Errorf("the answer is %v %q with %d performance data", r.State, r.Text, len(r.Perf))
		}
		return j.isWell(i, r.Text)
	}, err
}

// nameOf is what a module and its one check are called.
func nameOf(module int) string { return fmt.Sprintf("check_%04d", module) }

// packed is a zip module with one program.
func packed(name string, wasm []byte) ([]byte, error) {
	manifest, err := json.Marshal(map[string]any{"name": "Benchmark", "scripts": []string{"scripts/*.wasm"}})
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	files := fstest.MapFS{"module.json": {Data: manifest}, "scripts/" + name + ".wasm": {Data: wasm}}
	err = errors.Join(w.AddFS(files), w.Close())
	return archive.Bytes(), err
}
