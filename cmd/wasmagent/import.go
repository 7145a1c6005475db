package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/migrate"
)

func (a *app) importCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a config.toml of an nsclient.ini or an nrpe.cfg",
		Long: `Import reads the configuration of NSClient++, SNClient (nsclient.ini, snclient.ini)
or NRPE (nrpe.cfg), with the files that it includes, and prints a config.toml that
says the same. What has no counterpart is listed at the end of it: the line, the key
and what to do. What needs doing is on standard error, too. Nothing is run.

With --output it writes the file, and beside it, in modules, the module "imported"
with the commands that run scripts. Neither may be there already.`,
		Example: "  wasmagent import /etc/nagios/nrpe.cfg\n  wasmagent import --output /etc/wasmagent/config.toml /etc/nagios/nrpe.cfg",
		Args:    one("FILE"),
		RunE:    do(func(_ context.Context, args []string) error { return a.importFile(args[0], output) }),
	}
	cmd.Flags().StringVar(&output, "output", "", "write config.toml to this `FILE`, and the module beside it")
	return cmd
}

func (a *app) importFile(name, output string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	m, err := migrate.Read(name, builtinCommands)
	if err != nil {
		return err
	}
	file, err := filepath.Abs(cmp.Or(output, name))
	if err != nil {
		return err
	}
	if _, err := config.Parse(file, m.Config); err != nil {
		return fmt.Errorf("what is made of %s cannot be used; correct it there: %w", name, err)
	}
	if output == "" {
		_, err = fmt.Fprint(a.stdout, m.Config)
	} else {
		err = writeImport(m, file)
	}
	if err == nil {
		a.tell(m, file, output != "")
	}
	return err
}

// tell says what became of the file.
func (a *app) tell(m migrate.Migration, file string, written bool) {
	todo := slices.DeleteFunc(slices.Clone(m.Remarks), migrate.Remark.Harmless)
	for _, r := range todo {
		fmt.Fprintln(a.stderr, visible(r.String()))
	}
	switch {
	case written:
		fmt.Fprintf(a.stderr, "%s is written, with %s at its end, of which %d want something done; check it: wasmagent config check --config %s\n",
			file, counted(len(m.Remarks), "remark"), len(todo), shellWord(file))
	case len(m.Module) > 0:
		fmt.Fprintf(a.stderr, "the commands that run scripts come in a module, which is written with --output FILE\n")
	}
}

// writeImport writes config.toml and the module, both or none.
func writeImport(m migrate.Migration, file string) (err error) {
	dir := filepath.Join(filepath.Dir(file), "modules", migrate.ModuleName)
	for _, name := range []string{file, dir} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already; move it away, or choose another --output", name)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if len(m.Module) > 0 {
		if err := writeModule(m.Module, dir); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, os.RemoveAll(dir))
			}
		}()
	}
	return create(file, m.Config, 0o644)
}

// writeModule writes the files of a module into a new directory.
func writeModule(files map[string]string, dir string) (err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	draft, err := os.MkdirTemp(filepath.Dir(dir), ".imported-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(draft))
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(draft, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), create(path, files[name], 0o755)); err != nil {
			return err
		}
	}
	if err := os.Chmod(draft, 0o755); err != nil {
		return err
	}
	return os.Rename(draft, dir)
}

// create writes a file that must not be there.
func create(name, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
