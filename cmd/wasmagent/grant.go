package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A grantFlags is what the flags of grant say.
type grantFlags struct {
	yes, dryRun bool
}

func (a *app) grantCommand() *cobra.Command {
	var f grantFlags
	cmd := &cobra.Command{
		Use:   "grant MODULE [PATTERN...]",
		Short: "Grant a module what it asks for, in config.toml",
		Long: `Grant shows what a module asks for, what it is granted and what it lacks; and what
is new of that, if an agent has put it in the place of another version and the
audit log tells. It asks whether to grant what is lacking, or the PATTERNs instead,
and adds that to the module's allow in config.toml. Everything else there stays as
it is. A module that has no entry gets one that is not enabled; without a
config.toml the system's is made.

A grant gives a module nothing that it does not ask for. Nothing of the module is
built or run, and one that is not trusted is not read.`,
		Example: `  wasmagent grant web
  wasmagent grant web '/dev/tls/*.example.com/443'
  wasmagent grant --yes ./checks.zip /host/memory`,
		ValidArgsFunction: a.completeModule,
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("which module? " + seeHelp(cmd))
		}
		return nil
	}
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would change in config.toml, and change nothing")
	cmd.RunE = do(func(ctx context.Context, args []string) error { return a.grant(ctx, f, args[0], args[1:]) })
	return cmd
}

// grant shows what a module asks for, and grants it with the operator's consent.
func (a *app) grant(ctx context.Context, f grantFlags, module string, patterns []string) error {
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	r, err := s.request(module)
	if err != nil {
		return err
	}
	if r.wanted, err = r.choose(patterns); err != nil {
		return err
	}
	if err := a.print("text", r); err != nil || len(r.wanted) == 0 {
		return err
	}
	if f.dryRun {
		return a.preview(r)
	}
	if err := a.agrees(ctx, fmt.Sprintf("Grant %s this?", r.module.Name), f.yes); err != nil {
		return err
	}
	if err := config.Edit(r.file, r.changes()...); err != nil {
		return err
	}
	s.auditGranted(r.module.Name, r.wanted)
	_, err = fmt.Fprintln(a.stdout, r.done())
	return err
}

// A grantRequest is what a module asks for beside what it is granted, and what it
// is about to be granted.
type grantRequest struct {
	module *zipmod.Module
	access policy.Access
	wanted policy.Grants
	file   string // the configuration; made if it is missing
	exists bool
	entry  config.Module
	named  bool // whether there is an entry
	mounts config.Mounts
	new    []string // what an agent that runs has found new in it
}

// request reads what a module asks for, if it is trusted.
func (s *setup) request(module string) (*grantRequest, error) {
	if name, ok := config.Builtin(module); ok {
		return nil, fmt.Errorf("module %s is built in, and needs no grant", name)
	}
	path, err := s.library.locate(module)
	if err != nil {
		return nil, err
	}
	m, err := s.library.manifest(path)
	if err != nil {
		return nil, err
	}
	plans, err := s.providers.Plans(m)
	if err != nil {
		return nil, prefix(module, err)
	}
	r := &grantRequest{module: m, file: cmp.Or(s.config.File, config.System()), exists: s.config.File != "", mounts: s.config.Files}
	r.entry, r.named = s.config.Module(m.Name)
	r.access = policy.Access{Asked: providers.Asked(m, plans), Granted: r.entry.Allow}
	r.new = s.news(m)
	return r, nil
}

// news is what a version of a module asks for and the one before it did not, as
// far as the audit log knows.
func (s *setup) news(m *zipmod.Module) []string {
	line, _, _ := audit.Last(s.config.Audit.Path, func(l audit.Line) bool {
		return l.Event == audit.Restricted && l.Digest == m.Digest && fold(l.Module) == fold(m.Name) && len(l.New) > 0
	})
	return line.New
}

// choose is what to grant: patterns, or else what no grant covers; in any case
// only what is not granted word for word.
func (r *grantRequest) choose(patterns []string) (policy.Grants, error) {
	wanted, err := policy.ParseGrants(patterns)
	if len(patterns) == 0 {
		wanted = r.access.Uncovered().Grants()
	}
	return slices.DeleteFunc(wanted, func(g policy.Grant) bool { return slices.Contains(r.entry.Allow.Strings(), g.String()) }), err
}

// changes are those of the configuration. An entry that is made for a grant does
// not enable the module.
func (r *grantRequest) changes() (changes []config.Change) {
	if !r.named {
		changes = append(changes, config.Enable(r.module.Name, false))
	}
	return append(changes, config.Allow(r.module.Name, r.wanted))
}

func (r *grantRequest) print(w io.Writer) {
	lines := func(what string, patterns []string) {
		fmt.Fprintf(w, "%s\t%s\n", what, orNothing(mapped(patterns, r.shown), "\n\t"))
	}
	fmt.Fprintf(w, "module\t%s\n", r.module.Name)
	fmt.Fprintf(w, "version\t%s\n", r.module.Version)
	fmt.Fprintf(w, "sha256\t%s\n", r.module.Digest)
	fmt.Fprintf(w, "requires\t%s\n", required(r.module.Requires))
	lines("asks for", r.access.Asked)
	lines("is granted", r.access.Granted.Strings())
	lines("lacks", r.access.Uncovered())
	if len(r.new) > 0 {
		lines("is new", r.new)
	}
	if len(r.wanted) == 0 {
		fmt.Fprintln(w, "\nThere is nothing to grant.")
		return
	}
	lines("to grant", r.wanted.Strings())
	lines("then lacks", policy.Access{Asked: r.access.Asked, Granted: slices.Concat(r.access.Granted, r.wanted)}.Uncovered())
	if idle := r.idle(); len(idle) > 0 {
		fmt.Fprintf(w, "\nIt does not ask for %s, and gains nothing by that, as far as can be told.\n", strings.Join(idle, ", "))
	}
}

// idle lists the grants wanted that neither cover something that the module asks
// for nor are covered by it.
func (r *grantRequest) idle() (patterns []string) {
	for _, g := range r.wanted {
		wider := len(beyond(r.access.Asked, []string{g.Pattern})) < len(r.access.Asked)
		if narrower := len(beyond([]string{g.Pattern}, r.access.Asked)) == 0; !wider && !narrower {
			patterns = append(patterns, g.Pattern)
		}
	}
	return patterns
}

// shown is a grant beside what it means.
func (r *grantRequest) shown(grant string) string {
	g, err := policy.ParseGrants([]string{grant})
	if err != nil {
		return grant
	}
	return grant + "\t" + grantInWords(g[0], r.mounts)
}

// done says what was done, and what is left to do.
func (r *grantRequest) done() string {
	text := r.file + " is changed"
	if !r.exists {
		text = r.file + " is made"
	}
	if !r.named {
		return fmt.Sprintf("%s; module %s is not enabled there: `wasmagent run` uses the grant, and `serve` loads the module if its entry says enabled = true", text, r.module.Name)
	}
	return text + "; an agent that runs takes it"
}

// preview shows the lines of the configuration that would change.
func (a *app) preview(r *grantRequest) error {
	before, err := os.ReadFile(r.file)
	if err != nil && (r.exists || !errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	after, err := config.Rewrite(r.file, string(before), r.changes()...)
	if err != nil {
		return err
	}
	what := "change"
	if !r.exists {
		what = "be made"
	}
	_, err = fmt.Fprintf(a.stdout, "\n%s would %s:\n%s", r.file, what, difference(string(before), after))
	return err
}

// difference shows the lines between what two texts have in common at their
// beginnings and at their ends.
func difference(before, after string) string {
	old, new := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(old) > 0 && len(new) > 0 && old[0] == new[0] {
		old, new = old[1:], new[1:]
	}
	for len(old) > 0 && len(new) > 0 && old[len(old)-1] == new[len(new)-1] {
		old, new = old[:len(old)-1], new[:len(new)-1]
	}
	var b strings.Builder
	for _, line := range old {
		fmt.Fprintf(&b, "-%s\n", line)
	}
	for _, line := range new {
		fmt.Fprintf(&b, "+%s\n", line)
	}
	return b.String()
}
