package main

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

// complete completes the word before the cursor when the tab key is hit. If there are
// several, it is completed as far as they are alike, or they are listed.
func (p *prompt) complete(out io.Writer, line string, at int, key rune) (string, int, bool) {
	if key != '\t' || at > len(line) {
		return "", 0, false
	}
	before := line[:at]
	from := strings.LastIndexByte(before, ' ') + 1
	found := matching(p.candidates(strings.Fields(before[:from])), before[from:])
	if len(found) == 0 {
		return line, at, true
	}
	word := alike(found)
	if len(found) == 1 {
		word += " "
	}
	if len(word) <= at-from && len(found) > 1 {
		_, _ = io.WriteString(out, strings.Join(found, "  ")+"\n") // a terminal that is gone ends the prompt
		return line, at, true
	}
	return before[:from] + word + line[at:], from + len(word), true
}

// candidates are what can follow these words.
func (p *prompt) candidates(words []string) []string {
	if len(words) == 0 {
		names := p.commandNames()
		for _, r := range requests() {
			names = append(names, r.names[0])
		}
		return names
	}
	if r, ok := requestOf(words[0]); ok && r.of != nil && len(words) == 1 {
		return r.of(p)
	}
	return nil
}

// commandNames are the names of all commands.
func (p *prompt) commandNames() (names []string) {
	for _, c := range p.current().agent.Commands() {
		names = append(names, c.Names...)
	}
	return names
}

// moduleNames are those of the modules that config.toml names, and of the built-in
// ones.
func (p *prompt) moduleNames() []string {
	return slices.AppendSeq([]string{config.CheckHelpers, config.CheckSystem}, maps.Keys(p.current().config.Modules))
}

// tables are those of config.toml.
func (p *prompt) tables() (names []string) {
	for _, s := range p.current().config.Settings() {
		names = append(names, strings.TrimPrefix(s.Table, "/"))
	}
	return names
}

func (p *prompt) loadedNames() (names []string) {
	for _, m := range p.current().agent.Modules() {
		names = append(names, m.Name)
	}
	return names
}

// alike is what words begin with that differ in their ends, in the case of the
// first.
func alike(words []string) string {
	first := words[0]
	for _, word := range words[1:] {
		for !strings.HasPrefix(fold(word), fold(first)) {
			first = first[:len(first)-1]
		}
	}
	return first
}
