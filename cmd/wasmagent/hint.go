package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

// hint says what the command's module asks for and is not granted, and how to
// grant it; empty if it is granted all.
func (s *setup) hint(command string) string {
	module, _ := s.moduleOf(command)
	for _, m := range s.agent.Modules() {
		if m.Name == module && len(m.Uncovered) > 0 {
			return fmt.Sprintf("hint: module %s asks for more than it is granted; to grant it for this run, add\n    --allow %s\n"+
				"or for good, in config.toml under [modules.%s]\n    allow = [%s]\n",
				m.Name, strings.Join(mapped(m.Uncovered, shellWord), " --allow "),
				config.Key(m.Name), strings.Join(mapped(slices.Concat(m.Granted, m.Uncovered), config.Quote), ", "))
		}
	}
	return ""
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
func mapped(list []string, f func(string) string) []string {
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
