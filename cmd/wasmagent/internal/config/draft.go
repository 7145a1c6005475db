package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/zipmod"
)

// A draft is a valid config.toml that is about to be changed, with the places in
// it.
type draft struct {
	text   string
	places []place
}

func newDraft(text string) draft { return draft{text, layout(text)} }

// eol is how the lines of the text end.
func (d draft) eol() string {
	if strings.Contains(d.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// replace puts other words in the place of a span.
func (d draft) replace(s span, words string) string { return d.text[:s.from] + words + d.text[s.to:] }

// insert puts words where a byte is.
func (d draft) insert(at int, words string) string { return d.replace(span{at, at}, words) }

// lineFrom and lineTo are where the line of a byte begins, and where the next
// one does.
func (d draft) lineFrom(at int) int { return strings.LastIndexByte(d.text[:at], '\n') + 1 }

func (d draft) lineTo(at int) int {
	if n := strings.IndexByte(d.text[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(d.text)
}

// line puts a line behind the one of a byte.
func (d draft) line(at int, words string) string {
	end := d.lineTo(at)
	if end == len(d.text) && !strings.HasSuffix(d.text, "\n") {
		return d.text + d.eol() + words + d.eol()
	}
	return d.insert(end, words+d.eol())
}

// indent is the white space before what stands at a byte.
func (d draft) indent(at int) string {
	line := d.text[d.lineFrom(at):at]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// entry tells whether a place is in the entry of a module, and how deep: 0 is
// the entry itself.
func (p place) entry(module string) (depth int, ok bool) {
	if len(p.path) < 2 || p.path[0] != "modules" || !strings.EqualFold(zipmod.TrimZip(p.path[1]), module) {
		return 0, false
	}
	return len(p.path) - 2, true
}

// find returns the index of the first place for which is holds; -1 if there is
// none.
func (d draft) find(is func(p place) bool) int { return slices.IndexFunc(d.places, is) }

// key finds a key of a module's entry.
func (d draft) key(module, key string) int {
	return d.find(func(p place) bool {
		depth, ok := p.entry(module)
		return ok && depth == 1 && p.path[2] == key && !p.header
	})
}

// set gives a key of a module's entry a value, in the way in which the entry is
// written, or in a new one at the end.
func (d draft) set(module, key, value string) string {
	if i := d.key(module, key); i >= 0 {
		return d.replace(d.places[i].value, value)
	}
	pair := key + " = " + value
	for _, header := range []bool{false, true} {
		i := d.find(func(p place) bool {
			depth, ok := p.entry(module)
			return ok && depth == 0 && p.header == header
		})
		switch {
		case i >= 0 && header:
			return d.setBelow(i, pair)
		case i >= 0:
			return d.setWithin(d.places[i], key, value)
		}
	}
	if i := d.lastDotted(module); i >= 0 {
		return d.setBeside(d.places[i], pair)
	}
	return d.add(module, pair)
}

// setWithin adds to an entry "NAME = VALUE".
func (d draft) setWithin(p place, key, value string) string {
	switch text := d.text[p.value.from:p.value.to]; {
	case text[0] == '{':
		return d.addWithin(p.value, key+" = "+value)
	case key == "enabled":
		return d.replace(p.value, value)
	case text == "false" || strings.Contains(text, "disabled"):
		return d.replace(p.value, fmt.Sprintf("{ enabled = false, %s = %s }", key, value))
	}
	return d.replace(p.value, fmt.Sprintf("{ %s = %s }", key, value))
}

// addWithin adds to a table in braces.
func (d draft) addWithin(braces span, pair string) string {
	last := 0
	for _, p := range d.places {
		if p.inline && p.value.from > braces.from && p.value.to < braces.to {
			last = max(last, p.value.to)
		}
	}
	switch {
	case last > 0:
		return d.insert(last, ", "+pair)
	case strings.TrimSpace(d.text[braces.from+1:braces.to-1]) == "":
		return d.replace(braces, "{ "+pair+" }")
	}
	return d.insert(braces.from+1, " "+pair)
}

// setBelow adds to the table of the header at an index.
func (d draft) setBelow(header int, pair string) string {
	last := d.places[header].keys[0]
	for _, p := range d.section(header) {
		last = span{p.keys[0].from, p.value.to}
	}
	return d.line(last.to-1, d.indent(last.from)+pair)
}

// section lists the pairs between a header and the next one, those within
// braces left out.
func (d draft) section(header int) (pairs []place) {
	for _, p := range d.places[header+1:] {
		if p.header {
			break
		}
		if !p.inline {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// lastDotted finds the last key of the entry that names it: "NAME.KEY = VALUE".
func (d draft) lastDotted(module string) int {
	found := -1
	for i, p := range d.places {
		if depth, ok := p.entry(module); ok && !p.header && depth > 0 && len(p.keys) > depth {
			found = i
		}
	}
	return found
}

// setBeside adds a key behind one that names the entry, which it does as well.
func (d draft) setBeside(p place, pair string) string {
	name := p.keys[len(p.keys)-len(p.path)+1] // of the module
	pair = d.text[p.keys[0].from:name.to] + "." + pair
	if p.inline {
		return d.insert(p.value.to, ", "+pair)
	}
	return d.line(p.value.to-1, d.indent(p.keys[0].from)+pair)
}

// add makes a new entry.
func (d draft) add(module, pair string) string {
	all := d.find(func(p place) bool { return len(p.path) == 1 && p.path[0] == "modules" && !p.header })
	if all >= 0 {
		return d.addWithin(d.places[all].value, Key(module)+" = { "+pair+" }")
	}
	text, eol := d.text, d.eol()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += eol
	}
	if text != "" {
		text += eol
	}
	return text + "[modules." + Key(module) + "]" + eol + pair + eol
}

// extend adds elements to a list that a key of an entry has, or makes it.
func (d draft) extend(module, key string, added []string) string {
	i := d.key(module, key)
	if i < 0 {
		return d.set(module, key, "["+strings.Join(added, ", ")+"]")
	}
	list := d.places[i].value
	have, ok := elements(d.text, list)
	if !ok {
		return d.text
	}
	bracket := list.to - 1
	line := d.lineFrom(bracket)
	switch {
	case line > list.from && strings.TrimSpace(d.text[line:bracket]) == "":
		return d.extendLines(have, line, bracket, added)
	case len(have) == 0:
		return d.insert(list.from+1, strings.Join(added, ", "))
	}
	return d.insert(have[len(have)-1].to, ", "+strings.Join(added, ", "))
}

// extendLines adds elements, each on a line, to a list whose bracket closes it on
// a line of its own, as the last element does: with a comma behind it or
// without.
func (d draft) extendLines(have []span, line, bracket int, added []string) string {
	indent, comma := d.indent(bracket)+"  ", true
	var last span
	if n := len(have); n > 0 {
		last = have[n-1]
		s := scanner{text: d.text, at: last.to}
		s.gap()
		indent, comma = d.indent(last.from), s.next() == ','
	}
	words := indent + strings.Join(added, ","+d.eol()+indent)
	if comma {
		return d.insert(line, words+","+d.eol())
	}
	return d.text[:last.to] + "," + d.text[last.to:line] + words + d.eol() + d.text[line:]
}

// remove takes the entry of a module out. Comments stay that do not stand on or
// between its lines.
func (d draft) remove(module string) string {
	for {
		i := d.find(func(p place) bool { _, ok := p.entry(module); return ok })
		if i < 0 {
			return d.text
		}
		shorter := newDraft(d.cut(i))
		if len(shorter.text) >= len(d.text) {
			return d.text
		}
		d = shorter
	}
}

// cut takes out the place of an index: a header with what is below it.
func (d draft) cut(i int) string {
	p := d.places[i]
	if p.inline {
		return d.cutWithin(i)
	}
	from, to := d.lineFrom(p.keys[0].from), d.lineTo(p.keys[0].from)
	if p.header {
		for _, below := range d.section(i) {
			to = d.lineTo(below.value.to - 1)
		}
	} else {
		to = d.lineTo(p.value.to - 1)
	}
	// Of the empty lines before and behind, those before are enough.
	if above := strings.TrimRight(d.text[:from], " \t\r\n"); from == 0 || strings.Count(d.text[len(above):from], "\n") > 1 {
		for to < len(d.text) && strings.TrimSpace(d.text[to:d.lineTo(to)]) == "" {
			to = d.lineTo(to)
		}
	}
	return d.replace(span{from, to}, "")
}

// cutWithin takes a pair out of a table in braces, with one comma.
func (d draft) cutWithin(i int) string {
	p := d.places[i]
	s := scanner{text: d.text, at: p.value.to}
	s.gap()
	comma := s.skip(",")
	s.gap()
	cut := span{p.keys[0].from, p.value.to}
	before := strings.TrimRight(d.text[:cut.from], " \t\r\n")
	switch {
	case comma && s.next() != '}':
		cut.to = s.at
	case strings.HasSuffix(before, ","):
		cut.from = len(before) - 1
	case comma:
		cut.to = s.at
	}
	return d.replace(cut, "")
}
