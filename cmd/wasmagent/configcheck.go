package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
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
		Long: `Check reads config.toml and the manifests of all modules that it names, and lists
every mistake. Nothing is built, loaded or run. The exit status is 0 if all is
right and 3 if not.`,
		Args: cobra.NoArgs,
		RunE: do(func(ctx context.Context, _ []string) error { return a.checkConfig(ctx) }),
	})
	return cmd
}

func (a *app) checkConfig(ctx context.Context) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	s, err := a.wire(ctx, c, options{log: slog.LevelWarn})
	if err != nil {
		return err
	}
	defer s.close()
	var errs []error
	owners := map[string]string{} // of the commands of enabled modules
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		if err := a.checkModule(s, name, owners); err != nil {
			errs = append(errs, each(prefix("module "+name, err))...)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	file := c.File
	if file == "" {
		file = "no config.toml"
	}
	_, err = fmt.Fprintf(a.stdout, "%s: all is right, %s enabled\n", file, counted(len(enabled(c.Modules)), "module"))
	return err
}

// checkModule checks one entry of the configuration.
func (a *app) checkModule(s *setup, name string, owners map[string]string) error {
	if !s.config.Modules[name].Enabled {
		return nil
	}
	if builtin, ok := config.Builtin(name); ok {
		return own(owners, builtin, builtinCommands(builtin))
	}
	path, err := s.library.path(name)
	if err != nil {
		return err
	}
	m, err := s.library.manifest(path)
	if err != nil {
		return err
	}
	plans, err := s.providers.Plans(m)
	if err != nil {
		return err
	}
	settings := s.settings(m.Name)
	access := policy.Access{Asked: providers.Asked(m, plans), Granted: settings.Allow}
	for _, pattern := range access.Uncovered() {
		if settings.Strict {
			err = errors.Join(err, fmt.Errorf("asks for %s, which it is not granted, and is strict", pattern))
			continue
		}
		fmt.Fprintf(a.stdout, "module %s is not granted %s\n", m.Name, pattern)
	}
	return errors.Join(err, own(owners, m.Name, s.library.commands(path)))
}

// own notes whose the commands are. Two modules cannot have one of one name.
func own(owners map[string]string, module string, commands []string) error {
	var errs []error
	for _, command := range commands {
		if owner, taken := owners[fold(command)]; taken {
			errs = append(errs, fmt.Errorf("its command %s is also one of module %s; disable one of the two", command, owner))
			continue
		}
		owners[fold(command)] = module
	}
	return errors.Join(errs...)
}
