package migrate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A module is the module of a Migration in the making.
type module struct {
	files    map[string]string // by their names in the module
	scripts  []script
	requires []string
	onStart  []string
	exec     []string // the interpreters that its scripts need
}

// A script is an entry of scripts in module.json.
type script struct {
	File    string `json:"script"`
	Alias   string `json:"alias"`
	Command string `json:"command,omitempty"`
}

// manifest is module.json.
type manifest struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Modules     []string `json:"modules,omitempty"`
	Scripts     []script `json:"scripts,omitempty"`
	OnStart     []string `json:"on_start,omitempty"`
}

// contents are the module's files, with its module.json.
func (m *module) contents(from string) map[string]string {
	if len(m.scripts) == 0 && len(m.onStart) == 0 {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	base := fmt.Sprintf("%.200s", filepath.Base(from))                                                                                                    // a title has 256 characters
	_ = e.Encode(manifest{"Commands of " + base, "What " + base + " had the agent run, made by \"wasmagent import\".", m.requires, m.scripts, m.onStart}) // of texts, which cannot fail
	files := maps.Clone(m.files)
	files["module.json"] = b.String()
	return files
}

// fileName matches what can be the name of a file everywhere, if it is no device.
var (
	fileName = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)
	device   = lazyregexp.New(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// claim tells whether an entry can have a command of this name; if not, it says
// why.
func (m *mapping) claim(e *entry, alias string) bool {
	switch other := m.commands[fold(alias)]; {
	case zipmod.CheckCommand(alias) != nil:
		m.remark(e, "%q cannot be the name of a command: it is 1 to 128 characters without blanks and without ! / \\ : * ? \" < > |; rename it here and in the monitoring server", alias)
	case other != "":
		m.remark(e, "there is a command %s already, %s; names ignore case: rename one of the two, here and in the monitoring server", alias, other)
	default:
		m.commands[fold(alias)] = fmt.Sprintf("that of line %d", e.line)
		e.taken = true
		return true
	}
	return false
}

// addShell adds a command that is a shell script.
func (m *mapping) addShell(e *entry, alias, body string) {
	file := "scripts/" + alias + ".sh"
	if !fileName().MatchString(alias) || device().MatchString(alias) || m.module.files[file] != "" {
		file = fmt.Sprintf("scripts/command-%d.sh", len(m.module.scripts)+1)
	}
	head := fmt.Sprintf("#!/bin/sh\n# %s of %s, line %d.\n", comment(e.name()), comment(filepath.Base(e.file)), e.line)
	m.module.files[file] = head + body
	m.module.scripts = append(m.module.scripts, script{File: file, Alias: alias})
	m.module.needs("sh")
}

// needs notes that a script runs by an interpreter.
func (m *module) needs(interpreter string) {
	if !slices.Contains(m.exec, interpreter) {
		m.exec = append(m.exec, interpreter)
	}
}

// configure sets the module's entry in config.toml.
func (m *mapping) configure(seconds *entry, runs string) {
	if m.module.contents(m.from) == nil {
		return
	}
	header := "modules." + ModuleName
	grants := make([]string, len(m.module.exec))
	for i, name := range m.module.exec {
		grants[i] = "/exec/" + name
	}
	m.config.set(header, "allow", list(grants))
	var limits []string
	if n, ok := m.number(seconds, 1, 24*60*60); ok {
		limits = append(limits, fmt.Sprintf(`time = "%ds"`, n))
	}
	if runs != "" {
		limits = append(limits, "runs = "+runs)
	}
	if len(limits) > 0 {
		m.config.set(header, "limits", "{ "+strings.Join(limits, ", ")+" }")
	}
}

// interpreter is the NAME of the permission /exec/NAME that a file needs to run.
func interpreter(file, content string) string {
	switch extension := strings.ToLower(path.Ext(file)); extension {
	case ".ps1":
		return "powershell"
	case ".bat", ".cmd":
		return "cmd"
	case ".vbs":
		return "cscript"
	case ".exe":
		return "native"
	case ".py":
		return "python3"
	case ".sh":
		return named(content, "sh")
	}
	return named(content, "native")
}

// named is the program that a "#!" line names, else preset.
func named(content, preset string) string {
	first, _, _ := strings.Cut(content, "\n")
	rest, ok := strings.CutPrefix(first, "#!")
	words := strings.Fields(rest)
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = slices.DeleteFunc(words[1:], func(w string) bool { return w == "-S" })
	}
	if !ok || len(words) == 0 {
		return preset
	}
	name := path.Base(words[0])
	if !fileName().MatchString(name) {
		return preset
	}
	if _, err := policy.ParseGrants([]string{"/exec/" + name}); err != nil {
		return preset
	}
	return name
}
