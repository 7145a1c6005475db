package zipmod

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/internal/nearest"
	"github.com/wasmagent/wasmagent/policy"
)

// A text is a kind of string.
type text struct {
	// pattern is in the syntax that Go and ECMA-262 with "u" share. It counts no
	// characters, which would take megabytes.
	pattern func() *regexp.Regexp
	most    int    // characters, if set
	want    string // what the others say, for people
}

// matches tells whether a string is of the kind.
func (t text) matches(s string) bool {
	return (t.most == 0 || utf8.RuneCountInString(s) <= t.most) && t.pattern().MatchString(s)
}

// The kinds of strings in module.json.
var (
	line = text{
		lazyregexp.New(`^\P{Cc}+$`), 256,
		"1 to 256 characters without control characters",
	}
	prose = text{
		lazyregexp.New(`^[\P{Cc}\t\r\n]*$`), 0,
		"text without control characters but tabs and line breaks",
	}
	command = text{
		lazyregexp.New(`^[\P{Cc}\t\r\n]+$`), 0,
		`a command line, such as "check_x --warning 80 $ARGS$"`,
	}
	zipFile = text{
		lazyregexp.New(`^\P{Cc}+$`), 0,
		`a file's name in the zip, such as "scripts/check_x.wasm"`,
	}
	pathPattern = text{
		lazyregexp.New(`^\P{Cc}+$`), 0,
		`a pattern of paths, such as "/host/memory"`,
	}
	eventKind = text{
		lazyregexp.New(`^(result|state_change)$`), 0,
		`"result" or "state_change"`,
	}
	commandGlob = text{
		lazyregexp.New(`^[^\p{C}\p{Z}/\\"<>|{}]+$`), 128,
		`a command's name, or a pattern such as "check_*", of up to 128 characters`,
	}
	commandName = text{
		lazyregexp.New(`^[^\p{C}\p{Z}!/\\:*?"<>|.-][^\p{C}\p{Z}!/\\:*?"<>|]*$`), 128,
		`a name: 1 to 128 characters without blanks and ! / \ : * ? " < > |, not beginning with "." or "-"`,
	}
)

// A shape says what a place of module.json may hold: a string, a list, an
// object, or one of several of them. The decoder checks by it and the published
// schema is written from it, so the two agree.
type shape struct {
	doc  string
	text *text  // a string of this kind, if set
	list *shape // a list of these, if set
	keys []key  // an object with these keys, if set
	like any    // an example, for the schema
}

// A key is one that an object may have.
type key struct {
	name     string
	required bool
	shape
}

// scriptKeys are those of an object in "scripts".
func scriptKeys() []key {
	return []key{
		{"script", true, shape{text: &zipFile, doc: "The script's file in the zip.", like: "scripts/check_ok.bat"}},
		{"alias", false, shape{text: &commandName, doc: "The command's name. If missing, the file's name without its extension.", like: "check_ok"}},
		{"command", false, shape{text: &command, doc: "The command line to run. Its first word is the script's name; $ARG1$, $ARG2$ and so on are the caller's arguments and $ARGS$ is all of them. If missing, the script's name.", like: `check_ok.bat "Test Test"`}},
		{"provider", false, shape{text: &commandName, doc: "What runs the script. If missing, the file's extension decides.", like: "CheckExternalScripts"}},
	}
}

// subscriptionKeys are those of an object in "subscribe".
func subscriptionKeys() []key {
	glob := shape{text: &commandGlob, doc: "A command's name, or a pattern of names with *, ? and [...]."}
	return []key{
		{"on", true, shape{text: &eventKind, doc: "The events: \"result\" is every run of a command, \"state_change\" is a run that changes the hard state of a scheduled check.", like: "state_change"}},
		{"commands", false, shape{list: &glob, doc: "The commands whose events they are. If missing, every command. Those of other modules need a permission such as \"/event/check_*\".", like: []string{"check_*"}}},
		{"run", true, shape{text: &command, doc: "The command line to run for each event, which is on its standard input as JSON. Its first word is a command of this module.", like: "notify"}},
	}
}

// manifestShape is the shape of module.json.
func manifestShape() shape {
	script := shape{
		text: &zipFile,
		keys: scriptKeys(),
		doc:  "A file in the zip, a pattern such as \"scripts/**/*.wasm\", or an object that says more about one file.",
	}
	subscription := shape{keys: subscriptionKeys(), doc: "Events, and the command that is run for each."}
	permission := shape{
		text: &pathPattern,
		doc:  "A pattern of paths that begins with one of /" + strings.Join(policy.Roots(), ", /") + ".",
	}
	return shape{doc: "What a zip module is, brings and needs.", keys: []key{
		{"$schema", false, shape{text: &prose, doc: "The address of this schema, for editors. Not used otherwise."}},
		{"name", true, shape{text: &line, doc: "The module's title, as people read it. Commands go by the zip's file name.", like: "Web checks"}},
		{"description", false, shape{text: &prose, doc: "What the module is for."}},
		{"version", false, shape{text: &line, doc: "The module's version, any text.", like: "1.0.0"}},
		{"modules", false, shape{list: &shape{text: &commandName, doc: "A built-in module, or another zip, with or without \".zip\"."}, doc: "Modules to load first.", like: []string{"CheckSystem"}}},
		{"scripts", false, shape{list: &script, doc: "The commands that the module brings.", like: []string{"scripts/*.wasm"}}},
		{"on_start", false, shape{list: &shape{text: &command, doc: "A command line."}, doc: "Command lines to run once the module is loaded, in order.", like: []string{"CheckSystem.add \"\\\\Processor(_total)\\\\% Processor Time\" cpu"}}},
		{"subscribe", false, shape{list: &subscription, doc: "Events that the module hears of."}},
		{"permissions", false, shape{list: &permission, doc: "What the scripts ask to open beside the zip. The operator grants it.", like: []string{"/host/memory"}}},
	}}
}

// check reports to d every value in n that is not of the shape. what says which
// value n is.
func (s shape) check(n node, what string, d *decoder) {
	if d.found.full() {
		return
	}
	switch v := n.value.(type) {
	case string:
		if s.text != nil {
			s.text.check(n, what, d)
			return
		}
	case []node:
		if s.list != nil {
			for i, item := range v {
				s.list.check(item, fmt.Sprintf("%s[%d]", what, i), d)
			}
			return
		}
	case []member:
		if s.keys != nil {
			s.checkKeys(n, v, what, d)
			return
		}
	}
	d.report(n.at, "%s is %s; write %s", what, n.kind(), s.want())
}

func (t text) check(n node, what string, d *decoder) {
	if !t.matches(n.text()) {
		d.report(n.at, "%s is %.80q; write %s", what, n.text(), t.want)
	}
}

// checkKeys checks an object: each key known and there once, the required ones
// there, the values of their shapes.
func (s shape) checkKeys(n node, members []member, what string, d *decoder) {
	seen := make(map[string]bool, len(s.keys))
	for _, m := range members {
		i := slices.IndexFunc(s.keys, func(k key) bool { return k.name == m.key })
		switch {
		case i < 0:
			d.report(m.at, "unknown key %.80q; %s", m.key, s.suggest(m.key))
			continue
		case seen[m.key]:
			d.report(m.at, "key %q is there twice; keep one", m.key)
		}
		seen[m.key] = true
		s.keys[i].check(m.node, within(what, m.key), d)
	}
	for _, k := range s.keys {
		if k.required && !seen[k.name] {
			d.report(n.at, "%s has no %q; add %s", what, k.name, k.want())
		}
	}
}

// within names the value of a key of what.
func within(what, key string) string {
	if what == manifestName {
		return key
	}
	return what + "." + key
}

// want says what the shape is, as the object of "write".
func (s shape) want() string {
	var kinds []string
	if s.text != nil {
		kinds = append(kinds, "a string")
	}
	if s.list != nil {
		kinds = append(kinds, "a list, each of its values "+s.list.want())
	}
	if s.keys != nil {
		kinds = append(kinds, "an object")
	}
	return strings.Join(kinds, " or ")
}

// suggest names the known key that an unknown one was probably meant to be, or
// all of them.
func (s shape) suggest(unknown string) string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	if near := nearest.To(unknown, names); len(near) > 0 {
		return fmt.Sprintf("did you mean %q?", near[0])
	}
	return "the keys are " + strings.Join(names, ", ")
}
