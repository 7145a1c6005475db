package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
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
	for _, name := range enabled(s.config.Modules) {
		if err := s.loadNamed(ctx, name); err != nil && ctx.Err() == nil {
			errs = append(errs, fmt.Errorf("module %s is not loaded: %w", name, err))
		}
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
