package main

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"

	"golang.org/x/sync/errgroup"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// What the runs of a program begin from: what it is after its initialisation, or what
// it is before.
const (
	beginsSnapshot = "snapshot"
	beginsFresh    = "fresh"
)

// initialise fills in what the runs of the scripts in the sandbox begin from. A program
// that cannot be run is why the module would not be loaded.
func (i *inspection) initialise(ctx context.Context, engine *runtime.Engine, m *zipmod.Module, limits policy.Limits) {
	content := map[string][]byte{}
	for _, f := range m.Files {
		content[f.Name] = f.Data
	}
	broken := make([]error, len(i.Scripts))
	var group errgroup.Group
	group.SetLimit(goruntime.GOMAXPROCS(0))
	for n := range i.Scripts {
		if s := &i.Scripts[n]; s.Sandbox && s.Absent == "" {
			group.Go(func() error {
				broken[n] = s.initialise(ctx, engine, content[s.File], limits)
				return nil
			})
		}
	}
	_ = group.Wait() // every error is in broken
	i.Refused = text(prefix(i.Name, errors.Join(broken...)))
}

// initialise finds out what the runs of a script begin from. The error says why there
// can be none.
func (s *scriptDetail) initialise(ctx context.Context, engine *runtime.Engine, wasm []byte, limits policy.Limits) error {
	p, err := engine.Program(ctx, s.File, wasm, limits)
	if err != nil {
		return fmt.Errorf("script %s: %w", s.File, err)
	}
	defer p.Close()
	s.Begins = beginsSnapshot
	if err := p.Snapshot(ctx, limits); err != nil {
		s.Begins, s.Fresh = beginsFresh, err.Error()
	}
	return nil
}
