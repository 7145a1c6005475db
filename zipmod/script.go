package zipmod

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// The bounds of the patterns in "scripts". The work of matching grows with the
// patterns' lengths, their alternatives and the lengths of the files' names.
const (
	maxPattern = 256     // bytes of one pattern
	maxBraces  = 2       // "{a,b}" in one pattern
	maxWork    = 1 << 28 // characters compared, at most and together
)

// A names is the set of files that a script can be.
type names struct {
	sorted  []string
	length  int64 // of all of them
	present map[string]bool
	absent  map[string]error  // why those that the zip lacks are not there
	similar map[string]string // by folded path, and else by folded base name
}

// catalog collects the names of the files and of those that count as files.
func catalog(files []File, absent map[string]error) names {
	n := names{present: make(map[string]bool, len(files)), absent: absent, similar: map[string]string{}}
	for _, f := range files {
		n.present[f.Name] = true
		n.sorted = append(n.sorted, f.Name)
	}
	for name := range absent {
		if !n.present[name] {
			n.sorted = append(n.sorted, name)
		}
	}
	slices.Sort(n.sorted)
	for _, name := range n.sorted {
		n.length += int64(len(name))
		n.similar[fold(path.Base(name))] = name
	}
	for _, name := range n.sorted {
		n.similar[fold(name)] = name
	}
	return n
}

// has tells whether there is a file of this name.
func (n names) has(name string) bool {
	_, absent := n.absent[name]
	return n.present[name] || absent
}

// script is the Script of a file in shorthand.
func (n names) script(file string) Script {
	base := path.Base(file)
	s := Script{File: file, Alias: strings.TrimSuffix(base, path.Ext(base)), Command: []string{base}}
	if !n.present[file] {
		s.Absent = n.absent[file]
	}
	return s
}

// like finds the file that a wrong name probably means, and is empty if there
// is none: one at the same place when case and separators are ignored, or else
// one of the same base name.
func (n names) like(wrong string) string {
	wrong = fold(path.Clean(strings.ReplaceAll(wrong, `\`, "/")))
	return cmp.Or(n.similar[wrong], n.similar[path.Base(wrong)])
}

// An expansion turns "scripts" into commands.
type expansion struct {
	*decoder
	files   names
	named   map[string]bool   // files that an entry names, which no pattern takes
	aliases map[string]string // the file of each command, by its folded alias
	work    int64
	scripts []Script
}

// scripts lists the commands that "scripts" names.
func (d *decoder) scripts(n node, files names) []Script {
	x := expansion{decoder: d, files: files, named: map[string]bool{}, aliases: map[string]string{}}
	for _, item := range n.items() {
		x.named[item.text()] = true
		x.named[item.member("script").text()] = true
	}
	for _, item := range n.items() {
		_, object := item.value.([]member)
		switch name := item.text(); {
		case object:
			x.object(item)
		case files.has(name):
			x.add(item.at, files.script(name))
		case strings.ContainsAny(name, "*?[{"):
			x.pattern(item)
		case name != "":
			x.missing(item)
		}
	}
	return x.scripts
}

// missing reports a file that is not there.
func (x *expansion) missing(n node) {
	hint := "add it or correct the name"
	if near := x.files.like(n.text()); near != "" {
		hint = fmt.Sprintf("did you mean %.200q?", near)
	}
	x.report(n.at, "the zip has no file %.200q; %s", n.text(), hint)
}

// add appends a command unless its name is bad or taken.
func (x *expansion) add(at int, s Script) {
	if !commandName.matches(s.Alias) {
		x.report(at, "the file %.200q would make the command %.80q, which is not %s; write an object with an \"alias\"", s.File, s.Alias, commandName.want)
		return
	}
	if other, taken := x.aliases[fold(s.Alias)]; taken {
		x.report(at, "the command %q of %.200q is that of %.200q too; write an object with another \"alias\"", s.Alias, s.File, other)
		return
	}
	x.aliases[fold(s.Alias)] = s.File
	x.scripts = append(x.scripts, s)
}

// pattern adds a command for each file that matches and that nothing else names.
func (x *expansion) pattern(n node) {
	pattern := n.text()
	if !x.checkPattern(n, pattern) {
		return
	}
	matched := false
	for _, file := range x.files.sorted {
		if file == manifestName || !doublestar.MatchUnvalidated(pattern, file) {
			continue
		}
		matched = true
		if !x.named[file] {
			x.named[file] = true
			x.add(n.at, x.files.script(file))
		}
	}
	if !matched {
		x.report(n.at, "the pattern %q matches no file of the zip; correct it or take it out", pattern)
	}
}

// checkPattern tells whether a pattern may be matched, and reports why not.
func (x *expansion) checkPattern(n node, pattern string) bool {
	if len(pattern) > maxPattern {
		x.report(n.at, "the pattern %.40q... is longer than %d bytes; shorten it", pattern, maxPattern)
		return false
	}
	alternatives := int64(1 + strings.Count(pattern, ","))
	work := int64(len(pattern)) * alternatives * alternatives * x.files.length
	x.work = min(x.work+work, maxWork+1)
	switch {
	case strings.Count(pattern, "{") > maxBraces:
		x.report(n.at, "the pattern %q has more than %d \"{\"; write several patterns", pattern, maxBraces)
	case !doublestar.ValidatePattern(pattern):
		x.report(n.at, "the pattern %q is not a valid one; close every \"[\" and \"{\"", pattern)
	case x.work > maxWork:
		x.report(n.at, "there are too many patterns for so many files; write fewer or shorter ones")
	default:
		return true
	}
	return false
}

// object adds the command of an entry that says more than the file's name.
func (x *expansion) object(n node) {
	file := n.member("script")
	if file.text() == "" {
		return
	}
	if !x.files.has(file.text()) {
		x.missing(file)
		return
	}
	s := x.files.script(file.text())
	s.Provider = n.member("provider").text()
	if alias := n.member("alias"); alias.value != nil {
		if s.Alias = alias.text(); !commandName.matches(s.Alias) {
			return
		}
	}
	if line := n.member("command"); line.text() != "" {
		if s.Command = x.split(line); s.Command == nil {
			return
		}
		x.checkFirst(line, s)
	}
	x.add(n.at, s)
}

// checkFirst reports a command line whose first word is another script.
func (x *expansion) checkFirst(line node, s Script) {
	base := path.Base(s.File)
	if first := s.Command[0]; first != base && first != s.File {
		x.report(line.at, "the command line begins with %.80q and not with the script; begin it with %q, or with %.200q", first, base, s.File)
	}
}
