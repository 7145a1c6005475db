package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

func (a *app) inspectCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "inspect MODULE",
		Short: "Show what a module brings, asks for and is granted",
		Long: `Inspect reads a zip, a directory or a module that config.toml names, and shows
its manifest, its scripts with their providers, the permissions that it asks for
and what it is granted. A directory is built and packed first; its digest is that
of the zip that "wasmagent pack" makes. A zip that is not trusted is shown as well,
with the reason why it would not be loaded.

No script is run. To tell how the runs of a program in the sandbox begin, from a
snapshot or from fresh, it is initialised there, and is given nothing; unless the
module would not be loaded.`,
		Args:              one("MODULE"),
		ValidArgsFunction: a.completeModule,
	}
	outputFlag(cmd, &output)
	cmd.RunE = do(func(ctx context.Context, args []string) error {
		i, err := a.inspect(ctx, args[0])
		if err != nil {
			return err
		}
		return a.print(output, i)
	})
	return cmd
}

// An inspection is what inspect prints.
type inspection struct {
	Name        string               `json:"name"`
	Title       string               `json:"title"`
	Description string               `json:"description"`
	Version     string               `json:"version"`
	Digest      string               `json:"digest"`         // SHA-256 of the zip
	Signer      string               `json:"signer"`         // whose signature counts; empty if none does
	Comment     string               `json:"comment"`        // the trusted comment of the signature
	Pinned      bool                 `json:"pinned"`         // whether config.toml pins the digest
	Refused     string               `json:"refused"`        // why it would not be loaded; empty if it would
	Size        int64                `json:"size_bytes"`     // of the zip
	Unpacked    int64                `json:"unpacked_bytes"` // of the files in it
	Files       int                  `json:"files"`
	Requires    []string             `json:"requires"`
	OnStart     []string             `json:"on_start"`
	Subscribe   []subscriptionDetail `json:"subscribe"`
	Scripts     []scriptDetail       `json:"scripts"`
	Permissions permissions          `json:"permissions"`
	Unconfined  []string             `json:"unconfined"` // what of scripts outside the sandbox is not confined

	unsigned error // why there is no signature that counts
}

// A subscriptionDetail is some events that a module hears of.
type subscriptionDetail struct {
	On       string   `json:"on"`
	Commands []string `json:"commands"` // patterns; empty is every command
	Run      string   `json:"run"`      // the command line that is run for each
}

func subscriptionsOf(m *zipmod.Module) []subscriptionDetail {
	list := []subscriptionDetail{}
	for _, s := range m.Subscriptions {
		list = append(list, subscriptionDetail{s.On, append([]string{}, s.Commands...), check.Join(append([]string{s.Alias}, s.Args...))})
	}
	return list
}

func (s subscriptionDetail) String() string {
	event := map[string]string{zipmod.OnResult: "each result", zipmod.OnStateChange: "each state change"}[s.On]
	return fmt.Sprintf("runs %s for %s of %s", oneLine(s.Run), event, cmp.Or(strings.Join(s.Commands, ", "), "every command"))
}

// Permissions are those of a module.
type permissions struct {
	Asked     []string  `json:"asked"` // the grants that native scripts need included
	Granted   []string  `json:"granted"`
	Uncovered []string  `json:"uncovered"` // asked for, and covered by no grant
	Meanings  []meaning `json:"meanings"`  // of what is asked for
}

// A meaning is one permission in words.
type meaning struct {
	Permission string   `json:"permission"`
	Lets       string   `json:"lets"`    // what it lets scripts do
	Granted    string   `json:"granted"` // "yes", "no" or "in part"
	Only       []string `json:"only"`    // the grants of which a part consists
}

// meanings puts what a module asks for beside what it is granted.
func meanings(a policy.Access, mounts config.Mounts) []meaning {
	list := []meaning{}
	for _, asked := range a.Asked {
		m := meaning{Permission: asked, Lets: inWords(asked, mounts), Granted: "yes", Only: []string{}}
		if slices.Contains(a.Uncovered(), asked) {
			m.Granted = "no"
			for _, g := range a.Granted.Narrower(asked) {
				m.Granted = "in part"
				m.Only = append(m.Only, grantInWords(g, mounts))
			}
		}
		list = append(list, m)
	}
	return list
}

// printMeanings writes a table of permissions.
func printMeanings(w io.Writer, list []meaning) {
	fmt.Fprintln(w, "\nPERMISSION\tGRANTED\tWHAT IT LETS SCRIPTS DO")
	for _, m := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.Permission, m.Granted, m.Lets)
		for _, part := range m.Only {
			fmt.Fprintf(w, "\t\tonly %s\n", part)
		}
	}
}

// A scriptDetail is one script of a module.
type scriptDetail struct {
	Command  string `json:"command"`
	File     string `json:"file"`
	Size     int64  `json:"size_bytes"`
	Line     string `json:"line"` // the command line that it runs
	Provider string `json:"provider"`
	Sandbox  bool   `json:"sandbox"` // whether it runs in the sandbox
	Exec     string `json:"exec"`    // the permission that it needs outside
	Absent   string `json:"absent"`  // why there is no program; empty if there is
	Begins   string `json:"begins"`  // what each run begins from: "snapshot", "fresh"; empty if that is not known, or outside
	Fresh    string `json:"fresh"`   // why each run begins from fresh; empty if it does not
}

func (a *app) inspect(ctx context.Context, module string) (inspection, error) {
	c, err := a.configuration()
	if err != nil {
		return inspection{}, err
	}
	s, err := a.wire(ctx, c, options{log: slog.LevelWarn, interpret: true}) // no program is run for long
	if err != nil {
		return inspection{}, err
	}
	defer s.close()
	if name, ok := config.Builtin(module); ok {
		return inspection{}, fmt.Errorf("module %s is built in; its commands are %s; see: wasmagent run %[1]s COMMAND --help", name, strings.Join(builtinCommands(name), ", "))
	}
	s.library.lenient = true
	m, err := s.library.pick(ctx, module)
	if err != nil {
		return inspection{}, err
	}
	plans, err := s.providers.Plans(m)
	if err != nil {
		return inspection{}, prefix(module, err)
	}
	i := inspectionOf(m, plans, s.settings(m.Name).Allow, s.config.Files)
	if slices.ContainsFunc(plans, func(p providers.Plan) bool { return p.Exec != "" }) {
		i.Unconfined = s.providers.Unconfined()
	}
	if i.judge(s.library.ruling(m.Name)); i.Refused == "" {
		i.initialise(ctx, s.engine, m, s.settings(m.Name).Limits)
	}
	return i, ctx.Err()
}

// judge fills in what came of verifying the module.
func (i *inspection) judge(r *ruling) {
	i.Signer, i.Comment, i.Pinned, i.unsigned, i.Refused = r.signer(), r.Comment, r.Pinned, r.Unsigned, text(r.refused)
}

func inspectionOf(m *zipmod.Module, plans []providers.Plan, granted policy.Grants, mounts config.Mounts) inspection {
	access := policy.Access{Asked: providers.Asked(m, plans), Granted: granted}
	i := inspection{
		Name: m.Name, Title: m.Title, Description: m.Description, Version: m.Version,
		Digest: m.Digest, Size: m.Size, Files: len(m.Files),
		Requires: append([]string{}, m.Requires...), OnStart: []string{}, Subscribe: subscriptionsOf(m), Scripts: []scriptDetail{}, Unconfined: []string{},
		Permissions: permissions{append([]string{}, access.Asked...), granted.Strings(), append([]string{}, access.Uncovered()...), meanings(access, mounts)},
	}
	sizes := map[string]int64{}
	for _, f := range m.Files {
		sizes[f.Name] = int64(len(f.Data))
		i.Unpacked += sizes[f.Name]
	}
	for _, line := range m.OnStart {
		i.OnStart = append(i.OnStart, check.Join(line))
	}
	for _, p := range plans {
		i.Scripts = append(i.Scripts, scriptDetail{
			Command: p.Script.Alias, File: p.Script.File, Size: sizes[p.Script.File], Line: check.Join(p.Script.Command),
			Provider: p.Provider, Sandbox: p.Exec == "", Exec: p.Exec, Absent: text(p.Script.Absent),
		})
	}
	return i
}

func (i inspection) print(w io.Writer) {
	fmt.Fprintf(w, "module\t%s\n", i.Name)
	fmt.Fprintf(w, "title\t%s\n", oneLine(i.Title))
	fmt.Fprintf(w, "description\t%s\n", oneLine(i.Description))
	fmt.Fprintf(w, "version\t%s\n", oneLine(i.Version))
	fmt.Fprintf(w, "sha256\t%s%s\n", i.Digest, map[bool]string{true: ", pinned"}[i.Pinned])
	fmt.Fprintf(w, "signed by\t%s\n", signature(i.Signer, i.Comment, i.unsigned))
	if i.Refused != "" {
		fmt.Fprintf(w, "refused\t%s\n", i.Refused)
	}
	fmt.Fprintf(w, "size\t%d bytes, %d bytes in %d files unpacked\n", i.Size, i.Unpacked, i.Files)
	fmt.Fprintf(w, "requires\t%s\n", required(i.Requires))
	fmt.Fprintf(w, "is granted\t%s\n", orNothing(i.Permissions.Granted, "\n\t"))
	fmt.Fprintf(w, "on start\t%s\n", orNothing(mapped(i.OnStart, oneLine), "\n\t"))
	if len(i.Subscribe) > 0 {
		fmt.Fprintf(w, "on events\t%s\n", strings.Join(mapped(i.Subscribe, subscriptionDetail.String), "\n\t"))
	}
	if len(i.Permissions.Meanings) > 0 {
		printMeanings(w, i.Permissions.Meanings)
	}
	fmt.Fprintln(w, "\nCOMMAND\tRUNS\tBYTES\tPROVIDER\tIN")
	for _, s := range i.Scripts {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", s.Command, oneLine(s.Line), s.Size, s.Provider, s.where())
	}
	for _, what := range i.Unconfined {
		fmt.Fprintln(w, unconfined(what))
	}
}

// where says where a script runs, and what its runs begin from.
func (s scriptDetail) where() string {
	switch {
	case s.Absent != "":
		return "not there: " + firstLine(s.Absent)
	case !s.Sandbox:
		return "a process OUTSIDE the sandbox, needs " + s.Exec
	case s.Begins == beginsFresh:
		return "the sandbox, from fresh: " + oneLine(s.Fresh)
	case s.Begins == beginsSnapshot:
		return "the sandbox, from a snapshot"
	}
	return "the sandbox"
}

// required says what it means that a module requires others.
func required(modules []string) string {
	if len(modules) == 0 {
		return "nothing"
	}
	return strings.Join(modules, ", ") + ": it runs their commands, and reaches by that what they reach"
}

// oneLine writes a text of a module so that it cannot look like another line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// signature says who signed, or why that is nobody.
func signature(signer, comment string, unsigned error) string {
	if unsigned != nil {
		return "nobody: " + unsigned.Error()
	}
	return signer + ", who says: " + strings.ReplaceAll(comment, "\t", " ")
}

func orNothing(list []string, separator string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, separator)
}
