package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

func (a *app) moduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "module",
		Short: "Look after what modules keep",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return errors.New("which command? " + seeHelp(cmd)) },
	}
	cmd.AddCommand(a.purgeCommand())
	return cmd
}

func (a *app) purgeCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "purge MODULE",
		Short: "Delete what a module keeps in /state",
		Long: `Purge deletes what the scripts of a module have stored in /state, which is kept
across restarts, upgrades and removals of the module. The module itself stays. It
need not be there any more. A script that runs meanwhile may store something anew.`,
		Args:              one("MODULE"),
		ValidArgsFunction: a.completeModule,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.RunE = do(func(ctx context.Context, args []string) error { return a.purge(ctx, args[0], yes) })
	return cmd
}

func (a *app) purge(ctx context.Context, module string, yes bool) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	if err := zipmod.CheckName(module); err != nil {
		return err
	}
	if c.Directories.State == "" {
		return errors.New("nothing is kept, for no directory is known for that; set state in [directories] of config.toml")
	}
	dir := providers.StateDir(c.Directories.State, module)
	size, files, err := held(dir)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = fmt.Fprintf(a.stdout, "module %s keeps nothing\n", module)
		return err
	} else if err != nil {
		return err
	}
	if err := a.agrees(ctx, fmt.Sprintf("Delete %d bytes in %d files of %s?", size, files, dir), yes); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "module %s keeps nothing any more\n", module)
	return err
}

// held is how much is in a directory.
func held(dir string) (size int64, files int, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
			files++
		}
		return err
	})
	return size, files, err
}
