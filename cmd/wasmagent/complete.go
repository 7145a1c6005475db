package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/facts"
)

// completeModule completes the one argument MODULE: names, and files.
func (a *app) completeModule(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	c, err := a.configuration()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return matching(slices.Collect(maps.Keys(c.Modules)), word), cobra.ShellCompDirectiveDefault
}

// completeRun completes MODULE and COMMAND. Nothing is built and nothing is run
// for it: commands are read from the manifests.
func (a *app) completeRun(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	c, err := a.configuration()
	if err != nil || len(args) > 1 || len(args) == 1 && !isModule(c, args[0]) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	l := newLibrary(c, toolchain.Builder{})
	if len(args) == 1 {
		return matching(l.commands(args[0]), word), cobra.ShellCompDirectiveNoFileComp
	}
	names := []string{config.CheckHelpers, config.CheckSystem}
	for name := range c.Modules {
		names = append(names, name)
	}
	for _, name := range enabled(c.Modules) {
		names = append(names, l.commands(name)...)
	}
	return matching(names, word), cobra.ShellCompDirectiveDefault
}

// commands lists the commands of a module by its manifest; none if it cannot be
// read.
func (l *library) commands(module string) []string {
	if name, ok := config.Builtin(module); ok {
		return builtinCommands(name)
	}
	path := module
	if _, named := l.config.Module(module); named {
		var err error
		if path, err = l.path(module); err != nil {
			return nil
		}
	}
	m, err := l.manifest(path)
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range m.Scripts {
		names = append(names, s.Alias)
	}
	return names
}

// builtinCommands lists the commands of a builtin module.
func builtinCommands(name string) []string {
	a := agent.New(agent.Config{})
	defer a.Close()
	addBuiltins(a, facts.New())
	if a.LoadBuiltin(context.Background(), name) != nil {
		return nil
	}
	var names []string
	for _, c := range a.Commands() {
		names = append(names, c.Alias)
	}
	return names
}

// matching lists the names that begin with a word, ignoring case, sorted and
// each once.
func matching(names []string, word string) []string {
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(fold(name), fold(word)) })
	slices.Sort(names)
	return slices.Compact(names)
}
