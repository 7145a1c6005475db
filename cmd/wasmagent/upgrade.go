package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/trust"
	"github.com/wasmagent/wasmagent/zipmod"
)

func (a *app) upgradeCommand() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "upgrade [MODULE...]",
		Short: "Put what a module's source has now in its place",
		Long: `Upgrade fetches modules again from where they were installed from (the key source
in config.toml), all that were if none is named, and verifies them as install
does. Where there are other bytes it shows what changes and asks whether to go on.
The pin in config.toml moves with the module.

A module that asks for more than before gets no more, unless you agree to that as
well: when asked, or by --grant asked. Otherwise it is restricted.`,
		Example:           "  wasmagent outdated\n  wasmagent upgrade web",
		ValidArgsFunction: a.completeInstalled,
	}
	f.add(cmd, "none")
	cmd.RunE = do(func(ctx context.Context, args []string) error { return a.upgrade(ctx, args, f) })
	return cmd
}

func (a *app) upgrade(ctx context.Context, modules []string, f installFlags) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	if len(modules) == 0 {
		modules = installed(c)
	}
	if f.sha256 != "" && len(modules) != 1 {
		return errors.New("--sha256 is the digest of one module; name it")
	}
	var errs []error
	for _, name := range modules {
		if err := a.upgradeOne(ctx, name, f); err != nil && ctx.Err() == nil {
			errs = append(errs, prefix("module "+name, err))
		}
	}
	if len(modules) == 0 {
		fmt.Fprintln(a.stdout, "no module was installed")
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// installed lists the modules that have a source.
func installed(c config.Config) []string {
	var names []string
	for name, m := range c.Modules {
		if !m.Source.IsZero() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// An installation is a module that was installed, as it is now.
type installation struct {
	name   string
	entry  config.Module
	parcel fetch.Parcel   // what of it is there
	module *zipmod.Module // nil if it cannot be loaded as it is
	asked  policy.Patterns
}

// installation finds a module that was installed.
func (s *setup) installation(name string) (installation, error) {
	entry, named := s.config.Module(name)
	switch {
	case !named:
		return installation{}, errors.New("config.toml has no such module")
	case entry.Source.IsZero():
		return installation{}, errors.New("it was not installed: its entry in config.toml has no source")
	}
	i := installation{name: entry.Source.Module(), entry: entry}
	path, err := s.library.path(name)
	if err != nil {
		return i, nil // its file is gone, and fetched again
	}
	i.parcel.Archive, _ = readArchive(path, entry.Limits)
	i.parcel.Signature, _ = private.Read(path+trust.Extension, trust.MaxSignature, nil)
	if i.module, err = s.library.manifest(path); err == nil {
		var plans []providers.Plan
		plans, err = s.providers.Plans(i.module)
		i.asked = providers.Asked(i.module, plans)
	}
	if err != nil {
		i.module = nil
	}
	return i, nil
}

// version names the version for people.
func (i installation) version() string {
	if i.module == nil {
		return "(damaged)"
	}
	return versionOf(i.module)
}

// versionOf names the version of a module for people.
func versionOf(m *zipmod.Module) string { return cmp.Or(visible(oneLine(m.Version)), "(no version)") }

// is tells whether a candidate is what is installed already.
func (i installation) is(c *candidate) bool {
	return i.module != nil && i.module.Digest == c.module.Digest && bytes.Equal(i.parcel.Signature, c.parcel.Signature)
}

func (a *app) upgradeOne(ctx context.Context, name string, f installFlags) error {
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	old, err := s.installation(name)
	if err != nil {
		return err
	}
	pin, err := f.pin()
	if err != nil {
		return err
	}
	c, err := a.fetch(ctx, s, f.fetching, old.entry.Source, pin, old.parcel.Archive)
	if err != nil {
		return err
	}
	if old.is(c) {
		_, err := fmt.Fprintf(a.stdout, "%s %s is what %s has\n", name, old.version(), old.entry.Source)
		return err
	}
	u := upgrading{old, c, s.config.Files}
	if err := a.print("text", u); err != nil {
		return err
	}
	return a.replace(ctx, s, u, f)
}

// replace puts a version in the place of another one, if the operator agrees.
func (a *app) replace(ctx context.Context, s *setup, u upgrading, f installFlags) error {
	if err := a.agrees(ctx, fmt.Sprintf("Upgrade %s?", u.old.name), f.yes); err != nil {
		return err
	}
	more := u.more()
	agreed := len(more) > 0 && f.grant == "asked"
	if len(more) > 0 && !agreed && !f.yes {
		var err error
		if agreed, err = a.consents(ctx, "Grant it what it asks for beyond that?"); err != nil {
			return err
		}
	}
	var grants policy.Grants
	if agreed {
		grants = more.Grants()
	}
	if err := u.new.place(s, grants); err != nil {
		return err
	}
	if len(more) > 0 && !agreed {
		fmt.Fprintf(a.stdout, "module %s is restricted: it is not granted %s\n", u.old.name, strings.Join(more, ", "))
	}
	_, err := fmt.Fprintf(a.stdout, "module %s is upgraded; an agent that runs takes it\n", u.old.name)
	return err
}

// An upgrading is a version of a module in the place of another one.
type upgrading struct {
	old    installation
	new    *candidate
	mounts config.Mounts
}

// more are the permissions that the module asks for and did not ask for before,
// and that are not granted.
func (u upgrading) more() policy.Patterns {
	return policy.Access{Asked: u.asksMore(), Granted: u.old.entry.Allow}.Uncovered()
}

// asksMore are the permissions that the module asks for and did not before.
func (u upgrading) asksMore() policy.Patterns { return beyond(u.new.asked(), u.old.asked) }

// requiresMore are the modules that the module requires and did not before.
func (u upgrading) requiresMore() []string {
	return slices.DeleteFunc(slices.Clone(u.new.module.Requires), func(name string) bool {
		return u.old.module != nil && slices.ContainsFunc(u.old.module.Requires, func(before string) bool { return fold(before) == fold(name) })
	})
}

func (u upgrading) print(w io.Writer) {
	fmt.Fprintf(w, "module\t%s\n", u.old.name)
	fmt.Fprintf(w, "version\t%s -> %s\n", u.old.version(), versionOf(u.new.module))
	fmt.Fprintf(w, "from\t%s\n", u.new.source)
	fmt.Fprintf(w, "sha256\t%s\n", u.new.module.Digest)
	fmt.Fprintf(w, "signed by\t%s\n", signature(u.new.ruling.signer(), u.new.ruling.Comment, u.new.ruling.Unsigned))
	if more := u.requiresMore(); len(more) > 0 {
		fmt.Fprintf(w, "also requires\t%s\n", required(more))
	}
	for _, p := range u.asksMore() {
		state := "granted already"
		if slices.Contains(u.more(), p) {
			state = "not granted yet"
		}
		fmt.Fprintf(w, "also asks for\t%s, %s\t%s\n", p, state, inWords(p, u.mounts))
	}
}

// completeInstalled completes the names of modules that were installed.
func (a *app) completeInstalled(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	c, err := a.configuration()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return matching(installed(c), word), cobra.ShellCompDirectiveNoFileComp
}
