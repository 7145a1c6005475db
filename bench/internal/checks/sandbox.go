//go:build linux

package checks

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/bench/internal/worker"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// openSandbox loads modules into an agent, as it is by default: every run goes through
// the dispatcher, is metered and limited, and its output is decoded.
func openSandbox(ctx context.Context, j worker.Job, zips [][]byte) (worker.Asker, error) {
	engine, err := runtime.NewEngine(runtime.Config{CacheDir: filepath.Join(j.Cache, "agent"), InterpretFirst: j.First})
	if err != nil {
		return nil, err
	}
	scripts, err := providers.New(providers.Config{Engine: engine, UnpackDir: filepath.Join(j.Cache, "unpacked")})
	if err != nil {
		return nil, err
	}
	modules := make([]*zipmod.Module, len(zips))
	for i, zip := range zips {
		if modules[i], err = zipmod.Read(worker.NameOf(i), zip, zipmod.Options{}); err != nil {
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
		i, args := j.Target(module, hold)
		r, err := a.Run(ctx, check.Request{Command: worker.NameOf(i), Args: args})
		if err != nil {
			return err
		}
		if r.State != check.StateOK || len(r.Perf) != 1 {
			return fmt.Errorf("the answer is %v %q with %d performance data", r.State, r.Text, len(r.Perf))
		}
		return j.IsWell(i, r.Text)
	}, err
}
