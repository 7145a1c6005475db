package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/access/hostkey"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check the configuration",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return errors.New("which command? " + seeHelp(cmd)) },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Check config.toml and the modules that it names",
		Long: `Check reads config.toml, the manifests of the modules that it enables and of those
that they require, and users.toml, and lists every mistake. Nothing is built, loaded or
run. The exit status is 0 if all is right and 3 if not.`,
		Args: cobra.NoArgs,
		RunE: do(func(ctx context.Context, _ []string) error { return a.checkConfig(ctx) }),
	})
	return cmd
}

func (a *app) checkConfig(ctx context.Context) error {
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	k := checking{setup: s, out: a.stdout, done: map[string]bool{}, owners: map[string]string{}}
	errs := []error{prefix("aliases", k.own(aliasModule, aliases{commands: s.config.Aliases}.names()))}
	for _, name := range slices.Sorted(maps.Keys(s.config.Modules)) {
		if s.config.Modules[name].Enabled {
			errs = append(errs, prefix("module "+name, k.entry(name)))
		}
	}
	if err := errors.Join(append(errs, s.checkServing())...); err != nil {
		return err
	}
	file := cmp.Or(s.config.File, "no config.toml")
	_, err = fmt.Fprintf(a.stdout, "%s: all is right, %s enabled\n", file, counted(len(enabled(s.config.Modules)), "module"))
	return err
}

// checkServing reads the files that a listener needs and that are not made at its
// start.
func (s *setup) checkServing() error {
	c, quiet := s.config, slog.New(slog.DiscardHandler)
	var errs []error
	if c.TLS.Certificate != "" {
		_, err := hostkey.Open(hostkey.Files{Certificate: c.TLS.Certificate, Key: c.TLS.Key}, quiet)
		errs = append(errs, prefix("tls", err))
	}
	if _, err := access.Load(c.Users); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	_, err := texts(c.OTLP.Headers)
	return errors.Join(append(errs, prefix("otlp.headers", err))...)
}

// wouldLoad tells why a module could not be loaded beside those that are enabled,
// if its entry said this; nil if it could.
func (s *setup) wouldLoad(name string, entry config.Module) error {
	then := *s
	then.config.Modules = maps.Clone(s.config.Modules)
	maps.DeleteFunc(then.config.Modules, func(key string, _ config.Module) bool { return fold(key) == fold(name) })
	k := checking{setup: &then, out: io.Discard, done: map[string]bool{}, owners: map[string]string{}}
	then.library = newLibrary(then.config, s.library.builder)
	for _, other := range enabled(then.config.Modules) {
		k.done[fold(other)] = true
		_ = k.own(other, then.library.commands(other)) // of two others it is not this one's mistake
	}
	if then.config.Modules == nil {
		then.config.Modules = config.Modules{}
	}
	then.config.Modules[name] = entry
	then.library = newLibrary(then.config, s.library.builder)
	return k.entry(name)
}

// A checking goes through the modules that would be loaded.
type checking struct {
	*setup
	out    io.Writer
	done   map[string]bool   // the modules that were looked at, by folded name
	owners map[string]string // of the commands, by folded name
}

// entry checks a module that the configuration enables.
func (k *checking) entry(name string) error {
	if builtin, ok := config.Builtin(name); ok {
		return k.builtin(builtin)
	}
	path, err := k.library.path(name)
	if err != nil {
		return err
	}
	return k.module(path)
}

// required checks a module that another one requires.
func (k *checking) required(name string, by *zipmod.Module) error {
	if builtin, ok := config.Builtin(name); ok {
		return k.builtin(builtin)
	}
	path, err := k.library.required(name, by)
	if err != nil {
		return err
	}
	return k.module(path)
}

func (k *checking) builtin(name string) error {
	if k.done[fold(name)] {
		return nil
	}
	k.done[fold(name)] = true
	return k.own(name, builtinCommands(name))
}

// module checks the module at a path, and what it requires.
func (k *checking) module(path string) error {
	m, err := k.library.manifest(path)
	if err != nil || k.done[fold(m.Name)] {
		return err
	}
	k.done[fold(m.Name)] = true
	plans, err := k.providers.Plans(m)
	if err != nil {
		return err
	}
	errs := []error{k.grants(m, plans), k.own(m.Name, k.library.commands(path))}
	for _, name := range m.Requires {
		errs = append(errs, prefix("requires module "+name, k.required(name, m)))
	}
	return errors.Join(errs...)
}

// grants tells what a module asks for and is not granted, which is a mistake if
// it is strict.
func (k *checking) grants(m *zipmod.Module, plans []providers.Plan) error {
	settings := k.settings(m.Name)
	access := policy.Access{Asked: providers.Asked(m, plans), Granted: settings.Allow}
	var errs []error
	for _, pattern := range access.Uncovered() {
		if settings.Strict {
			errs = append(errs, fmt.Errorf("asks for %s, which it is not granted, and is strict", pattern))
			continue
		}
		fmt.Fprintf(k.out, "module %s is not granted %s\n", m.Name, pattern)
	}
	return errors.Join(errs...)
}

// own notes whose the commands are. Two modules cannot have one of one name.
func (k *checking) own(module string, commands []string) error {
	var errs []error
	for _, command := range commands {
		if owner, taken := k.owners[fold(command)]; taken {
			errs = append(errs, fmt.Errorf("its command %s is also one of module %s; disable one of the two", command, owner))
			continue
		}
		k.owners[fold(command)] = module
	}
	return errors.Join(errs...)
}
