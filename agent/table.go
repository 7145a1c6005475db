package agent

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/nearest"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A table is the modules and commands of one moment. It is never changed once
// requests see it.
type table struct {
	modules  map[string]*module  // by name, folded
	commands map[string]*command // by every name, folded
	closed   bool                // the agent is
}

func newTable() *table {
	return &table{modules: make(map[string]*module), commands: make(map[string]*command)}
}

// add takes in a module with its commands. A name that has an owner already is
// an error, which says that the module that was made later brings it.
func (t *table) add(m *module) error {
	var errs []error
	for _, c := range m.commands {
		for _, name := range c.names {
			have := t.commands[fold(name)]
			if have == nil {
				t.commands[fold(name)] = c
				continue
			}
			brings, has := m, have.module
			if has.number > brings.number {
				brings, has = has, brings
			}
			errs = append(errs, fmt.Errorf("command %s: module %s brings it and module %s has it already; give one of them another alias", name, brings.name, has.name))
		}
	}
	t.modules[fold(m.name)] = m
	return errors.Join(errs...)
}

// remove takes a module out with its commands.
func (t *table) remove(m *module) {
	for _, c := range m.commands {
		for _, name := range c.names {
			if t.commands[fold(name)] == c {
				delete(t.commands, fold(name))
			}
		}
	}
	if t.modules[fold(m.name)] == m {
		delete(t.modules, fold(m.name))
	}
}

// has tells whether it has a zip module of that name and those bytes.
func (t *table) has(zip *zipmod.Module) bool {
	m := t.modules[fold(zip.Name)]
	return m != nil && m.zip != nil && m.zip.Digest == zip.Digest
}

// requirers lists the modules that require a module, sorted.
func (t *table) requirers(m *module) []string {
	var names []string
	for _, other := range t.modules {
		if other != m && other.needs(m.name) {
			names = append(names, other.name)
		}
	}
	slices.Sort(names)
	return names
}

// dependentsFirst lists the modules so that each comes before those that it
// requires: a module is made after them.
func (t *table) dependentsFirst() []*module {
	return slices.SortedFunc(maps.Values(t.modules), func(a, b *module) int { return int(b.number) - int(a.number) })
}

// maxNearest is how many names are suggested in place of a wrong one.
const maxNearest = 3

// unknown is the error for a name that is not in the table.
func (t *table) unknown(name string) error {
	if t.closed {
		return errClosed
	}
	var known []string
	for _, m := range t.modules {
		for _, c := range m.commands {
			known = append(known, c.names...)
		}
	}
	near := nearest.To(name, known)
	return &UnknownCommandError{Command: name, Nearest: near[:min(len(near), maxNearest)]}
}

// errClosed answers whatever is asked of an agent after Close.
var errClosed = errors.New("the agent is closed")

// An UnknownCommandError is the error of a request for a command that no loaded
// module has. It matches check.ErrUnknownCommand.
type UnknownCommandError struct {
	// Command is what was asked for.
	Command string
	// Nearest are up to three commands that it may have meant, the nearest first.
	Nearest []string
}

func (e *UnknownCommandError) Error() string {
	if len(e.Nearest) == 0 {
		return fmt.Sprintf("no command %q is loaded", e.Command)
	}
	return fmt.Sprintf("no command %q is loaded; did you mean %s?", e.Command, strings.Join(e.Nearest, ", "))
}

// Is tells that the error is check.ErrUnknownCommand.
func (e *UnknownCommandError) Is(target error) bool { return target == check.ErrUnknownCommand }
