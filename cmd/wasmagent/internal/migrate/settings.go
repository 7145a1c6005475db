package migrate

import (
	"path"
	"strings"
)

// An entry is one "key = value" of a file.
type entry struct {
	file         string
	line         int
	section, key string // as they are written; an nrpe.cfg has no section
	value        string
	taken        bool // whether it is said what became of it
}

// name is the key with its section, as a person would look for it.
func (e *entry) name() string {
	if e.section == "" {
		return e.key
	}
	return "[" + e.section + "] " + e.key
}

// settings are the entries of a configuration, in the order of its lines.
type settings struct {
	entries  []*entry
	sections map[string][]*entry // by their folded names
	children map[string][]string // the last names of the sections below one
	unread   []Remark            // lines that are no entries, and files that could not be read
	files    int                 // how many were read
}

// index makes the entries known by their sections.
func (s *settings) index() {
	s.sections, s.children = map[string][]*entry{}, map[string][]string{}
	for _, e := range s.entries {
		section := fold(e.section)
		if _, seen := s.sections[section]; !seen {
			parent, name := path.Split(strings.TrimRight(strings.TrimSpace(e.section), "/"))
			s.children[fold(parent)] = append(s.children[fold(parent)], name)
		}
		s.sections[section] = append(s.sections[section], e)
	}
}

// fold is a section or a key as it is compared.
func fold(name string) string {
	return strings.ToLower(strings.TrimRight(strings.TrimSpace(name), "/"))
}

// take returns the entry of a key, which counts as taken. Of several, the last
// one holds.
func (s *settings) take(section, key string) *entry {
	var found *entry
	for _, e := range s.in(section) {
		if fold(e.key) == fold(key) {
			e.taken, found = true, e
		}
	}
	return found
}

// value is what take finds in the first of the sections that has it; an entry that
// says nothing, if none does.
func (s *settings) value(key string, sections ...string) *entry {
	found := &entry{taken: true}
	for _, section := range sections {
		if e := s.take(section, key); e != nil && e.value != "" && found.value == "" {
			found = e
		}
	}
	return found
}

// in lists the entries of a section.
func (s *settings) in(section string) []*entry { return s.sections[fold(section)] }

// below lists the last names of the sections right below one, in the order of the
// file.
func (s *settings) below(section string) []string { return s.children[fold(section)] }

// drop takes the entries of a section and of those below it, which had no effect.
func (s *settings) drop(section string) {
	for _, e := range s.entries {
		if fold(e.section) == fold(section) || strings.HasPrefix(fold(e.section), fold(section)+"/") {
			e.taken = true
		}
	}
}

// yes tells whether a value is true; no value is preset.
func (e *entry) yes(preset bool) bool {
	switch strings.ToLower(e.value) {
	case "":
		return preset
	case "1", "true", "yes", "on", "enabled":
		return true
	}
	return false
}

// items are the parts of a value with commas between them.
func (e *entry) items() []string {
	var list []string
	for item := range strings.SplitSeq(e.value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
