package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	goruntime "runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/zipmod"
)

// load loads the one MODULE of a command line.
func (s *setup) load(ctx context.Context, module string) error {
	if name, ok := config.Builtin(module); ok {
		s.target = name
		return s.agent.LoadBuiltin(ctx, name)
	}
	m, err := s.library.pick(ctx, module)
	if err != nil {
		return err
	}
	s.target = m.Name
	return s.agent.Load(ctx, m)
}

// isModule tells whether a word of a command line is a MODULE: a built-in one,
// one of the configuration, or a path.
func isModule(c config.Config, word string) bool {
	_, builtin := config.Builtin(word)
	_, named := c.Module(word)
	return builtin || named || isPath(word) || isModuleDir(word)
}

// isPath tells whether a word can be no name of a command.
func isPath(word string) bool {
	return word == "." || word == ".." || strings.ContainsRune(word, '/') || strings.ContainsRune(word, os.PathSeparator) ||
		strings.HasSuffix(fold(word), ".zip")
}

// enabled lists the names of the modules that the configuration has the agent
// load, the built-in ones first.
func enabled(modules config.Modules) []string {
	names := slices.Sorted(maps.Keys(modules))
	names = slices.DeleteFunc(names, func(name string) bool { return !modules[name].Enabled })
	slices.SortStableFunc(names, func(a, b string) int {
		_, first := config.Builtin(a)
		_, second := config.Builtin(b)
		switch {
		case first == second:
			return 0
		case first:
			return -1
		}
		return 1
	})
	return names
}

// loadEnabled loads the enabled modules. The error has those that could not be
// loaded; the others are.
func (s *setup) loadEnabled(ctx context.Context) error {
	errs := []error{s.loadAliases(ctx)}
	read := s.readEnabled(ctx)
	names, modules := slices.Clone(read.builtins), []*zipmod.Module(nil)
	for i, name := range read.names {
		if err := read.errs[i]; err != nil {
			errs = append(errs, notLoaded(name, err))
			continue
		}
		names, modules = append(names, name), append(modules, read.modules[i])
	}
	for i, err := range s.agent.LoadEach(ctx, read.builtins, modules) {
		errs = append(errs, notLoaded(names[i], err))
	}
	if ctx.Err() != nil {
		return errs[0]
	}
	return errors.Join(errs...)
}

func (s *setup) loadNamed(ctx context.Context, name string) error {
	if builtin, ok := config.Builtin(name); ok {
		return s.agent.LoadBuiltin(ctx, builtin)
	}
	m, err := s.library.named(ctx, name)
	if err != nil {
		return err
	}
	return s.agent.Load(ctx, m)
}

func notLoaded(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("module %s is not loaded: %w", name, err)
}

// A reading is the modules that the configuration enables.
type reading struct {
	builtins []string
	names    []string         // of the others
	modules  []*zipmod.Module // nil if it could not be read
	errs     []error
}

// readEnabled reads the modules that the configuration enables, as many at one time as
// there are processors.
func (s *setup) readEnabled(ctx context.Context) (r reading) {
	for _, name := range enabled(s.config.Modules) {
		if builtin, ok := config.Builtin(name); ok {
			r.builtins = append(r.builtins, builtin)
		} else {
			r.names = append(r.names, name)
		}
	}
	r.modules, r.errs = make([]*zipmod.Module, len(r.names)), make([]error, len(r.names))
	var group errgroup.Group
	group.SetLimit(goruntime.GOMAXPROCS(0))
	for i, name := range r.names {
		group.Go(func() error {
			r.modules[i], r.errs[i] = s.library.named(ctx, name)
			return nil
		})
	}
	_ = group.Wait() // every error is in errs
	return r
}
