package config

import (
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// A span is a part of a text, from a byte up to another.
type span struct{ from, to int }

// A place is where a key stands with its value, or the header of a table.
type place struct {
	path   []string // the whole key, from the top
	keys   []span   // the parts of the key that are written here, the last ones of path
	value  span     // what is behind "="; empty of a header
	header bool
	inline bool // within braces
}

// layout finds the places of a text that is valid TOML, in their order: a table
// in braces before what is in it. What is in a list is left out.
func layout(text string) []place {
	s := scanner{text: text}
	s.skip("\ufeff")
	var table []string
	for s.gap(); s.at < len(text); s.gap() {
		from := s.at
		if s.next() == '[' {
			table = s.header()
		} else {
			s.pair(table, false, true)
		}
		if s.at == from {
			break // it is not valid
		}
	}
	return s.places
}

// elements finds the elements of the list that a span is, if it is one.
func elements(text string, list span) (found []span, ok bool) {
	s := scanner{text: text[:list.to], at: list.from}
	if s.next() != '[' {
		return nil, false
	}
	s.list(func(element span) { found = append(found, element) })
	return found, true
}

// A scanner goes through a text that is valid TOML. It stops short of what is
// not, and does not say so.
// https://toml.io/en/v1.1.0
type scanner struct {
	text   string
	at     int
	places []place
}

// next is the next character; 0 at the end.
func (s *scanner) next() byte {
	if s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// skip goes past a text that may be next, and tells whether it was.
func (s *scanner) skip(text string) bool {
	there := strings.HasPrefix(s.text[s.at:], text)
	if there {
		s.at += len(text)
	}
	return there
}

// until goes to the next of some characters, or to the end.
func (s *scanner) until(chars string) {
	if n := strings.IndexAny(s.text[s.at:], chars); n >= 0 {
		s.at += n
		return
	}
	s.at = len(s.text)
}

// gap goes past blanks, line breaks and comments.
func (s *scanner) gap() {
	for {
		s.at += len(s.text[s.at:]) - len(strings.TrimLeft(s.text[s.at:], " \t\r\n"))
		if s.next() != '#' {
			return
		}
		s.until("\n")
	}
}

// header reads "[KEY]" or "[[KEY]]" and returns the key.
func (s *scanner) header() []string {
	for s.skip("[") {
	}
	s.gap()
	path, keys := s.key()
	for s.skip("]") {
	}
	s.places = append(s.places, place{path: path, keys: keys, header: true})
	return path
}

// key reads a key with its parts.
func (s *scanner) key() (path []string, keys []span) {
	for {
		part := span{s.at, s.at}
		if q := s.next(); q == '"' || q == '\'' {
			s.quoted()
		} else {
			s.until(" \t\r\n.=]")
		}
		part.to = s.at
		path, keys = append(path, unquoted(s.text[part.from:part.to])), append(keys, part)
		s.gap()
		if !s.skip(".") {
			return path, keys
		}
		s.gap()
	}
}

// unquoted is the name that a part of a key is.
func unquoted(part string) string {
	if part == "" || part[0] != '"' && part[0] != '\'' {
		return part
	}
	var name struct{ Key string }
	if _, err := toml.Decode("key = "+part, &name); err != nil {
		return part
	}
	return name.Key
}

// pair reads "KEY = VALUE" within a table.
func (s *scanner) pair(table []string, inline, record bool) {
	path, keys := s.key()
	p := place{path: slices.Concat(table, path), keys: keys, inline: inline}
	s.skip("=")
	s.gap()
	i := len(s.places)
	if record {
		s.places = append(s.places, p)
	}
	from := s.at
	s.value(p.path, record)
	if record {
		s.places[i].value = span{from, s.at}
	}
}

// value goes past a value. The places in a table are recorded below path.
func (s *scanner) value(path []string, record bool) {
	switch s.next() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.list(func(span) {})
	case '{':
		s.braces(path, record)
	default:
		from := s.at
		s.until(",]}#\r\n")
		s.at = from + len(strings.TrimRight(s.text[from:s.at], " \t"))
	}
}

// list goes past a list and tells of each element.
func (s *scanner) list(each func(element span)) {
	s.at++
	for s.gap(); s.at < len(s.text) && !s.skip("]"); s.gap() {
		from := s.at
		s.value(nil, false)
		each(span{from, s.at})
		s.gap()
		if !s.skip(",") && s.at == from {
			return // it is not valid
		}
	}
}

// braces goes past a table in braces.
func (s *scanner) braces(path []string, record bool) {
	s.at++
	for s.gap(); s.at < len(s.text) && !s.skip("}"); s.gap() {
		from := s.at
		s.pair(path, true, record)
		s.gap()
		if !s.skip(",") && s.at == from {
			return // it is not valid
		}
	}
}

// quoted goes past a text in quotes of any of the four kinds.
func (s *scanner) quoted() {
	quote := s.text[s.at : s.at+1]
	long := strings.Repeat(quote, 3)
	end, escapes := quote, quote == `"`
	if s.skip(long) {
		end = long
	} else {
		s.at++
	}
	for s.at < len(s.text) && !s.skip(end) {
		if escapes && s.next() == '\\' {
			s.at++
		}
		s.at = min(s.at+1, len(s.text))
	}
	// Up to two quotes may stand before the three that end a long text.
	for range 2 {
		if end == long {
			s.skip(quote)
		}
	}
}
