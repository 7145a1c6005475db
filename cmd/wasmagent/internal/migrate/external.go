package migrate

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

const external = "/settings/external scripts"

// A definition is one of NSClient++'s scripts, aliases or schedules, which are
// written as NAME = COMMAND, or as a section of their own.
type definition struct {
	*entry // that has the command
	alias  string
}

// definitions lists those of a section.
func (m *mapping) definitions(section string) []definition {
	var list []definition
	for _, e := range m.in(section) {
		if !e.taken && e.value != "" {
			list = append(list, definition{e, e.key})
		}
	}
	for _, name := range m.below(section) {
		e := m.take(section+"/"+name, "command")
		if e != nil && e.value != "" {
			list = append(list, definition{e, name})
		}
	}
	return list
}

// externalScripts maps the scripts.
func (m *mapping) externalScripts() {
	m.value("script root", external)
	arguments := m.value("allow arguments", external)
	seconds := m.value("timeout", external)
	for _, section := range []string{external + "/scripts", external + "/wrapped scripts"} {
		for _, d := range m.definitions(section) {
			m.script(d)
		}
	}
	m.value("script path", external)
	if folder := m.take(external, "script path"); folder != nil && folder.value != "" {
		m.remark(folder, "scripts are not found in directories; name each in module.json of the module %s", ModuleName)
	}
	if len(m.module.scripts) > 0 && !arguments.yes(false) && m.config.has("nrpe", "allow_arguments") {
		at := m.take(nrpe, "allow arguments")
		m.remark(at, "scripts had no arguments, and have those of requests now, for the two are not told apart here; take allow_arguments out if only scripts are asked for")
	}
	m.configure(seconds, "")
}

// piped matches the way in which NSClient++ has PowerShell run a script.
var piped = lazyregexp.New(`(?i)^cmd(?:\.exe)? +/c +echo +(.*?);? *exit *\(?\$lastexitcode\)? *\| *powershell(?:\.exe)?\b.*$`)

// script maps one script.
func (m *mapping) script(d definition) {
	line := d.value
	if inner := piped().FindStringSubmatch(line); inner != nil {
		line = inner[1]
	}
	words, err := check.Split(macros(line))
	if err != nil || len(words) == 0 {
		m.remark(d.entry, "its command line cannot be read: %s", firstError(err, "it is empty"))
		return
	}
	if slices.ContainsFunc(words, unixPath().MatchString) {
		if m.claim(d.entry, d.alias) {
			m.addShell(d.entry, d.alias, execWords(words))
			m.privileged(d.entry, line)
		}
		return
	}
	m.copied(d, words)
}

// unixPath matches a path that is no option of a program on Windows.
var unixPath = lazyregexp.New(`^/[\w.-]+/`)

func firstError(err error, preset string) string {
	if err == nil {
		return preset
	}
	return err.Error()
}

// scriptFile matches a word that is a script and no interpreter's option.
var scriptFile = lazyregexp.New(`(?i)\.(ps1|bat|cmd|vbs|sh|py|pl|rb|exe)$`)

// interpreters matches programs that run a script that is one of their arguments.
var interpreters = lazyregexp.New(`(?i)(^|[\\/])(cmd|powershell|pwsh|cscript|wscript|sh|bash|python[0-9.]*|perl)(\.exe)?$`)

// copied maps a script that comes into the module.
func (m *mapping) copied(d definition, words []string) {
	at := 0
	for at < len(words) && (interpreters().MatchString(words[at]) || at > 0 && !scriptFile().MatchString(words[at])) {
		at++
	}
	if at == len(words) {
		m.remark(d.entry, "no script is found in its command line; write one that runs it, and name that in module.json of the module %s", ModuleName)
		return
	}
	name, content, ok := m.find(words[at])
	if !ok {
		m.remark(d.entry, "%s is not found beside %s; run the import where it is, or put it into scripts of the module %s and name it in module.json", words[at], m.from, ModuleName)
		return
	}
	if !m.claim(d.entry, d.alias) {
		return
	}
	m.module.files[name] = content
	command := append([]string{path.Base(name)}, words[at+1:]...)
	m.module.scripts = append(m.module.scripts, script{File: name, Alias: d.alias, Command: check.Join(command)})
	m.module.needs(interpreter(name, content))
}

// find looks for a script where NSClient++ does, and returns its name in the
// module.
func (m *mapping) find(word string) (name, content string, ok bool) {
	local := localPath(word)
	base := filepath.Base(local)
	if !fileName().MatchString(base) || device().MatchString(base) {
		return "", "", false
	}
	places := []string{local}
	if !filepath.IsAbs(local) {
		dir := filepath.Dir(m.from)
		places = []string{filepath.Join(dir, local), filepath.Join(dir, "scripts", local)}
	}
	for _, place := range places {
		found, err := m.read(place)
		name = "scripts/" + base
		if have, taken := m.module.files[name]; err == nil && (!taken || have == string(found)) {
			return name, string(found), true
		}
	}
	return "", "", false
}

// aliases maps the aliases, which are commands with arguments.
func (m *mapping) aliases() {
	for _, d := range m.definitions(external + "/alias") {
		line := macros(d.value)
		words, err := check.Split(line)
		if err != nil || len(words) == 0 {
			m.remark(d.entry, "its command line cannot be read: %s", firstError(err, "it is empty"))
			continue
		}
		if !m.claim(d.entry, d.alias) {
			continue
		}
		m.config.setText("aliases", d.alias, line)
		m.asked = append(m.asked, asked{d.entry, words})
	}
}

// An asked is a command line that asks for another command.
type asked struct {
	*entry
	words []string
}

// legacy are the commands that older versions of NSClient++ had, by their folded
// names, and what is asked now.
var legacy = map[string]string{
	"checkcpu": "check_cpu", "checkmem": "check_memory", "checkuptime": "check_uptime", "checkdrivesize": "check_drivesize",
	"checkservicestate": "check_service", "checkprocstate": "check_process", "checkcounter": "check_pdh",
}

// answered remarks on what is asked for and not there, or takes other arguments.
func (m *mapping) answered() {
	for _, a := range m.asked {
		name := fold(a.words[0])
		switch {
		case m.commands[name] != "":
			m.expressions(a.entry, a.words)
		case legacy[name] != "":
			m.remark(a.entry, "it is taken over, but %s is %s here, with other arguments; see docs/builtin.md", a.words[0], legacy[name])
		default:
			m.remark(a.entry, "it is taken over, but there is no command %s here", a.words[0])
		}
	}
}

// expression matches an argument that is one of NSClient++'s filter engine.
var expression = lazyregexp.New(`(?i)^(?:[a-z-]*(?:filter|syntax|config|state)|(?:warn|warning|crit|critical|ok)=.*(?:[<>=]|\b(?:gt|lt|ge|le|eq|ne|like|in)\b).*)`)

// expressions remarks on arguments that the built-in checks take differently.
func (m *mapping) expressions(e *entry, words []string) {
	if !strings.HasPrefix(m.commands[fold(words[0])], "built into ") {
		return
	}
	for _, word := range words[1:] {
		if expression().MatchString(word) {
			m.remark(e, "it is taken over, but %s takes ranges and no expressions, such as %s: the check says how to write it; see docs/builtin.md", words[0], config.Quote(word))
			return
		}
	}
}
