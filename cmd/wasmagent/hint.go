package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A refused is what one run was refused although its modules ask for it. A nil
// refused takes down nothing, as for an agent that stays.
type refused struct {
	granted func(module string) policy.Grants

	lock   sync.Mutex
	grants map[string]map[string]bool // by module
}

// maxHinted is the most grants of one module that a hint suggests.
const maxHinted = 16

// note takes down a refusal that a grant would have averted: the module asks for
// the path, and no grant matches it yet.
func (r *refused) note(m *zipmod.Module, a runtime.Attempt) {
	grant, ok := permission(a.Path)
	if r == nil || !ok || r.granted(m.Name).Match(a.Path) || a.Op != "exec" && !m.Permissions.Match(a.Path) {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.grants[m.Name] == nil {
		r.grants[m.Name] = map[string]bool{}
	}
	if len(r.grants[m.Name]) < maxHinted {
		r.grants[m.Name][grant] = true
	}
}

// hint says how to grant what was refused; empty if there is nothing.
func (r *refused) hint() string {
	r.lock.Lock()
	defer r.lock.Unlock()
	var b strings.Builder
	for _, module := range slices.Sorted(maps.Keys(r.grants)) {
		grants := mapped(slices.Sorted(maps.Keys(r.grants[module])), shellWord)
		fmt.Fprintf(&b, "hint: module %s was refused what it asks for; to grant it for this run, add\n    --allow %s\nor for good, run\n    wasmagent grant %[1]s %[3]s\n",
			module, strings.Join(grants, " --allow "), strings.Join(grants, " "))
	}
	return b.String()
}

// elsewhere is the error for a command that no loaded module has: err, unless
// the word tells what else was meant.
func (s *setup) elsewhere(command string, err error) error {
	if isDir(command) {
		return fmt.Errorf("no command %q is loaded; and the directory %[1]s is no module, for it has no module.json", command)
	}
	for _, name := range slices.Concat([]string{config.CheckHelpers, config.CheckSystem}, slices.Sorted(maps.Keys(s.config.Modules))) {
		if entry, _ := s.config.Module(name); entry.Enabled {
			continue // it could not be loaded, which is told beside this
		}
		for _, alias := range s.library.commands(name) {
			if full := name + "." + alias; fold(command) == fold(alias) || fold(command) == fold(full) {
				return fmt.Errorf("no command %q is loaded; module %s has it, which is not enabled: wasmagent run %[2]s %s", command, name, alias)
			}
		}
	}
	if s.config.File == "" {
		return fmt.Errorf("%w; without a config.toml no module is: name one before COMMAND, or a file with --config", err)
	}
	return err
}

// mapped applies a function to every text of a list.
func mapped[T any](list []T, f func(T) string) []string {
	var out []string
	for _, s := range list {
		out = append(out, f(s))
	}
	return out
}

// counted writes a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// plain are the characters that mean themselves in a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.,"

// shellWord writes a text as one word for a shell.
func shellWord(s string) string {
	if strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
