package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/agent"
)

func (a *app) listCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the modules that config.toml enables, and their commands",
		Long: `List loads the modules that config.toml enables and shows how each fares:

  loaded      all is well
  restricted  it asks for more than it is granted
  degraded    an on_start line of it failed
  failed      it could not be loaded`,
		Args: cobra.NoArgs,
	}
	outputFlag(cmd, &output)
	cmd.RunE = do(func(ctx context.Context, _ []string) error {
		l, err := a.list(ctx)
		if err != nil {
			return err
		}
		return a.print(output, l)
	})
	return cmd
}

// outputFlag adds --output to a command.
func outputFlag(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVar(output, "output", "text", "print as `FORMAT`: text or json")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *output != "text" && *output != "json" {
			return fmt.Errorf("--output %q: want text or json", *output)
		}
		return nil
	}
}

// A document is something to print for people as well.
type document interface{ print(w io.Writer) }

// print prints a document in a format. As text it cannot control a terminal,
// whatever a module says of itself.
func (a *app) print(format string, d document) error {
	if format == "json" {
		return a.printJSON(d)
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	d.print(w)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, visible(text.String()))
	return err
}

// A listing is what list prints.
type listing struct {
	Modules  []moduleState  `json:"modules"`
	Commands []commandState `json:"commands"`

	Unconfined []string `json:"unconfined"` // what of scripts outside the sandbox is not confined
}

// A moduleState is how one module fares.
type moduleState struct {
	Name        string               `json:"name"`
	State       string               `json:"state"` // loaded, restricted, degraded or failed
	Title       string               `json:"title"`
	Description string               `json:"description"`
	Version     string               `json:"version"`
	Digest      string               `json:"digest"`
	Signer      string               `json:"signer"` // whose signature counts; empty if none does
	Builtin     bool                 `json:"builtin"`
	Uncovered   []string             `json:"uncovered"` // permissions that no grant covers
	Subscribe   []subscriptionDetail `json:"subscribe"`
	Problems    []string             `json:"problems"` // on_start lines that failed, or why it was not loaded
}

// A commandState is one command.
type commandState struct {
	Command  string   `json:"command"`
	Names    []string `json:"names"`
	Module   string   `json:"module"`
	File     string   `json:"file"`
	Provider string   `json:"provider"`
	Exec     string   `json:"exec"`   // the permission to leave the sandbox; empty inside
	Absent   string   `json:"absent"` // why there is no program; empty if there is
}

// list loads everything and tells how it went.
func (a *app) list(ctx context.Context) (listing, error) {
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return listing{}, err
	}
	defer s.close()
	l := listing{Modules: []moduleState{}, Commands: []commandState{}, Unconfined: []string{}}
	for _, name := range enabled(s.config.Modules) {
		if err := s.loadNamed(ctx, name); err != nil {
			l.Modules = append(l.Modules, moduleState{Name: name, State: "failed", Uncovered: []string{}, Subscribe: []subscriptionDetail{}, Problems: strings.Split(err.Error(), "\n")})
		}
	}
	if err := ctx.Err(); err != nil {
		return listing{}, err
	}
	for _, m := range s.agent.Modules() {
		l.Modules = append(l.Modules, stateOf(m, s.library.ruling(m.Name)))
	}
	for _, c := range s.agent.Commands() {
		absent := text(s.library.absent(c.Module, c.Alias))
		l.Commands = append(l.Commands, commandState{c.Alias, c.Names, c.Module, c.File, c.Provider, c.Exec, absent})
		if c.Exec != "" {
			l.Unconfined = s.providers.Unconfined()
		}
	}
	return l, nil
}

func stateOf(m agent.Status, r *ruling) moduleState {
	subscribe := []subscriptionDetail{}
	for _, on := range m.Subscriptions {
		subscribe = append(subscribe, subscriptionDetail{on.On, append([]string{}, on.Commands...), on.Run})
	}
	return moduleState{
		Name: m.Name, State: m.State(), Title: m.Title, Description: m.Description, Version: m.Version, Digest: m.Digest, Signer: r.signer(), Builtin: m.Builtin,
		Uncovered: append([]string{}, m.Uncovered...), Subscribe: subscribe, Problems: append([]string{}, m.Failed...),
	}
}

func (l listing) print(w io.Writer) {
	fmt.Fprintln(w, "MODULE\tSTATE\tVERSION\tSIGNED BY\tDESCRIPTION")
	for _, m := range l.Modules {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.Name, m.State, oneLine(m.Version), m.Signer, oneLine(firstLine(m.Description)))
	}
	fmt.Fprintln(w, "\nCOMMAND\tMODULE\tRUNS IN")
	for _, c := range l.Commands {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Command, c.Module, c.place())
	}
	for i, remark := range l.remarks() {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, remark)
	}
}

// remarks say what is not well.
func (l listing) remarks() []string {
	var list []string
	for _, m := range l.Modules {
		for _, pattern := range m.Uncovered {
			list = append(list, m.Name+" is not granted "+pattern)
		}
		for _, problem := range m.Problems {
			list = append(list, m.Name+": "+problem)
		}
	}
	for _, what := range l.Unconfined {
		list = append(list, unconfined(what))
	}
	if len(l.Modules) == 0 {
		list = append(list, "no module is enabled; enable some in config.toml")
	}
	return list
}

// unconfined says what of native scripts the agent cannot confine.
func unconfined(what string) string { return "scripts outside the sandbox are not confined in " + what }

// place says where a command runs.
func (c commandState) place() string {
	switch {
	case c.Absent != "":
		return "nothing: " + firstLine(c.Absent)
	case c.Provider == "":
		return "the agent"
	case c.Exec != "":
		return "a process OUTSIDE the sandbox, needs " + c.Exec
	}
	return "the sandbox"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
