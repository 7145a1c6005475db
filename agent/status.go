package agent

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// A Status says what one loaded module is and how it fares.
type Status struct {
	// Name is the MODULE of MODULE.alias.
	Name string
	// Title, Description and Version are the module's own words about itself.
	Title, Description, Version string
	// Digest and Size are those of the zip; empty of a builtin module.
	Digest string
	Size   int64
	// Builtin is whether the module is compiled in.
	Builtin bool
	// Wanted is whether it was loaded by itself, and not only because modules
	// of RequiredBy need it.
	Wanted bool
	// Requires and RequiredBy name other modules.
	Requires, RequiredBy []string
	// Commands are the module's commands, in its own order.
	Commands []Command
	// Asked are the permissions that it asks for, those that its host scripts
	// imply included; Granted is what it was granted; Uncovered are those of
	// Asked that no grant covers whole. A module with one is restricted.
	Asked, Granted, Uncovered []string
	// Subscriptions are the events that it subscribes to.
	Subscriptions []Subscription
	// Failed are its on_start lines that failed, with the reasons. A module
	// with one is degraded.
	Failed []string
}

// State is "loaded", "restricted", "degraded" or "degraded, restricted".
func (s Status) State() string {
	var states []string
	if len(s.Failed) > 0 {
		states = append(states, "degraded")
	}
	if len(s.Uncovered) > 0 {
		states = append(states, "restricted")
	}
	return cmp.Or(strings.Join(states, ", "), "loaded")
}

// A Subscription says what events a module subscribes to, and how that fares.
type Subscription struct {
	// On is the kind of the events, Commands are patterns of the commands that
	// they are of, every one if empty, and Run is the command line that is run.
	On       string
	Commands []string
	Run      string
	// Told counts the events for which the command was run, and Lost those for
	// which it was not: it was too slow, or could not be run.
	Told, Lost uint64
}

// A Command says what one command is.
type Command struct {
	// Alias is the command's name.
	Alias string
	// Names are all names by which it is found, Alias first.
	Names []string
	// Module is the name of its module.
	Module string
	// File is the script in the zip, and Provider what runs it; empty for a
	// builtin command.
	File, Provider string
	// Exec is the permission that it needs to run outside of the sandbox; empty
	// for one that stays inside, and for a builtin one.
	Exec string
}

// Modules lists the loaded modules, sorted by name.
func (a *Agent) Modules() []Status {
	t := a.table.Load()
	var list []Status
	for _, m := range t.modules {
		list = append(list, t.status(m))
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
	return list
}

// Commands lists the commands of all loaded modules, sorted by alias.
func (a *Agent) Commands() []Command {
	var list []Command
	for _, m := range a.table.Load().modules {
		list = append(list, m.listed()...)
	}
	slices.SortFunc(list, func(a, b Command) int { return strings.Compare(fold(a.Alias), fold(b.Alias)) })
	return list
}

func (t *table) status(m *module) Status {
	s := Status{
		Name:       m.name,
		Title:      m.name,
		Builtin:    m.builtin != nil,
		Wanted:     m.wanted.Load(),
		Requires:   m.requires(),
		RequiredBy: t.requirers(m),
		Commands:   m.listed(),
	}
	if m.builtin != nil {
		s.Description = m.builtin.Description()
		return s
	}
	s.Title, s.Description, s.Version = m.zip.Title, m.zip.Description, m.zip.Version
	s.Digest, s.Size = m.zip.Digest, m.zip.Size
	s.Asked, s.Granted, s.Uncovered = m.loaded.Access.Asked, m.loaded.Access.Granted.Strings(), m.loaded.Access.Uncovered()
	s.Subscriptions = m.subscriptions()
	if failed := m.failed.Load(); failed != nil {
		s.Failed = *failed
	}
	return s
}

func (m *module) subscriptions() []Subscription {
	var list []Subscription
	for i, what := range m.zip.Subscriptions {
		s := Subscription{On: what.On, Commands: what.Commands, Run: check.Join(append([]string{what.Alias}, what.Args...))}
		if len(m.subscribers) > 0 {
			s.Told, s.Lost = m.subscribers[i].told.Load(), m.subscribers[i].lost.Load()
		}
		list = append(list, s)
	}
	return list
}

func (m *module) listed() []Command {
	var list []Command
	for _, c := range m.commands {
		list = append(list, Command{
			Alias:    c.alias,
			Names:    slices.Clone(c.names),
			Module:   m.name,
			File:     c.plan.Script.File,
			Provider: c.plan.Provider,
			Exec:     c.plan.Exec,
		})
	}
	return list
}
