package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) removeCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove MODULE",
		Short: "Take an installed module away, and its entry in config.toml",
		Long: `Remove takes the entry of a module that was installed out of config.toml, with all
that it grants, and deletes the module's files. What the module has stored in
/state stays. A module that an enabled one requires is not removed.`,
		Args:              one("MODULE"),
		ValidArgsFunction: a.completeInstalled,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.RunE = do(func(ctx context.Context, args []string) error { return a.remove(ctx, args[0], yes) })
	return cmd
}

func (a *app) remove(ctx context.Context, name string, yes bool) error {
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	old, err := s.installation(name)
	if err != nil {
		return prefix("module "+name, err)
	}
	if by := s.requiring(name); len(by) > 0 {
		return fmt.Errorf("module %s is required by %s; disable or remove that first", name, strings.Join(by, ", "))
	}
	question := fmt.Sprintf("Remove %s %s, and its entry in %s?", old.name, old.version(), s.config.File)
	if err := a.agrees(ctx, question, yes); err != nil {
		return err
	}
	if err := newShelf(s.config).remove(name); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "module %s is removed; an agent that runs unloads it\n", old.name)
	return err
}

// requiring lists the enabled modules that require one. A module that cannot be
// read requires none, for it is not loaded.
func (s *setup) requiring(name string) []string {
	var by []string
	for _, other := range enabled(s.config.Modules) {
		path, err := s.library.path(other)
		if err != nil {
			continue
		}
		m, err := s.library.manifest(path)
		if err == nil && slices.ContainsFunc(m.Requires, func(r string) bool { return fold(r) == fold(name) }) {
			by = append(by, other)
		}
	}
	return by
}
