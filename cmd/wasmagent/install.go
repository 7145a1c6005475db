package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/policy"
)

// An installFlags is what the flags of install and upgrade say.
type installFlags struct {
	fetching
	yes   bool
	grant string // asked or none
}

func (f *installFlags) add(cmd *cobra.Command, grant string) {
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().StringVar(&f.grant, "grant", grant, "grant it `WHAT` it asks for: asked (all of it) or none")
	f.timeoutFlag(cmd)
	f.digestFlag(cmd)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if f.grant != "asked" && f.grant != "none" {
			return fmt.Errorf("--grant %q: want asked or none", f.grant)
		}
		_, err := f.pin()
		return err
	}
}

func (a *app) installCommand() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "install SOURCE",
		Short: "Fetch a module, and put it in place with what it asks for",
		Long: `Install fetches a module and its signature, verifies it as config.toml's [trust]
says before it reads it, shows what it is and what it asks for, and asks whether
to go on. Then it puts the module into the modules directory and writes its entry
into config.toml: where it came from, the SHA-256 that it is pinned to from now
on, and the grants. If anything fails, nothing is changed.

SOURCE is one of
  FILE                     a zip of this machine
  URL                      https://HOST/PATH/NAME.zip, or with http
  oci://REGISTRY/NAME:TAG  a registry; also oci://REGISTRY/NAME@sha256:DIGEST

The signature is what is called NAME.zip.minisig beside a file or URL. A registry
is spoken to with TLS, unless it is on this machine or SOURCE begins with
oci+http://. Credentials for it are those of docker login.`,
		Example: "  wasmagent install oci://registry.example.com/checks/web:1.0\n  wasmagent install --yes --grant none https://example.com/web.zip",
		Args:    one("SOURCE"),
	}
	f.add(cmd, "asked")
	cmd.RunE = do(func(ctx context.Context, args []string) error { return a.install(ctx, args[0], f) })
	return cmd
}

func (a *app) install(ctx context.Context, text string, f installFlags) error {
	source, err := parseSource(text)
	if err != nil {
		return err
	}
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	entry, err := s.vacant(source.Module())
	if err != nil {
		return err
	}
	pin, err := f.pin()
	if err != nil {
		return err
	}
	c, err := a.fetch(ctx, s, f.fetching, source, cmp.Or(pin, entry.Pin), nil)
	if err != nil {
		return err
	}
	if err := a.print("text", c.inspection(entry.Allow, s.config.Files)); err != nil {
		return err
	}
	grants, question := c.wanted(entry.Allow, f.grant == "asked")
	if err := a.agrees(ctx, question, f.yes); err != nil {
		return err
	}
	if err := c.place(s, grants); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\nmodule %s is installed, and in %s; an agent that runs loads it\n", c.module.Name, newShelf(s.config).config)
	return err
}

// parseSource reads a SOURCE of the command line.
func parseSource(text string) (fetch.Source, error) {
	dir, err := os.Getwd()
	if err != nil {
		return fetch.Source{}, err
	}
	return fetch.Parse(text, dir)
}

// vacant wants that there is no module of a name, and returns the entry that
// config.toml has for it all the same.
func (s *setup) vacant(name string) (config.Module, error) {
	if builtin, ok := config.Builtin(name); ok {
		return config.Module{}, fmt.Errorf("module %s is built in, and nothing else can have its name; rename the file", builtin)
	}
	entry, _ := s.config.Module(name)
	path, err := s.library.path(name)
	switch {
	case !entry.Source.IsZero():
		return entry, fmt.Errorf("module %s is installed already, from %s; run: wasmagent upgrade %[1]s", name, entry.Source)
	case err == nil:
		return entry, fmt.Errorf("module %s is there already, as %s, and was not installed; move that away first", name, path)
	case !errors.As(err, new(notFound)):
		return entry, fmt.Errorf("module %s: %w", name, err)
	}
	return entry, nil
}

// wanted are the grants that the module gets beside those that it has, and the
// question whether to go on so.
func (c *candidate) wanted(have policy.Grants, all bool) (policy.Grants, string) {
	lacks := policy.Access{Asked: c.asked(), Granted: have}.Uncovered()
	switch {
	case len(lacks) == 0:
		return nil, fmt.Sprintf("Install %s?", c.module.Name)
	case !all:
		return nil, fmt.Sprintf("Install %s without granting it what it lacks?", c.module.Name)
	}
	return lacks.Grants(), fmt.Sprintf("Install %s and grant it what it asks for?", c.module.Name)
}
