// Package strict reads TOML that people write, and tells all mistakes of a document at
// once, each with its line. https://toml.io/en/v1.0.0
//
// A Document is not safe for concurrent use.
package strict

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/internal/nearest"
)

// A Document is a text that is TOML, with the mistakes that were found in what it
// says.
type Document struct {
	// Table is what it says, as package toml decodes it.
	Table map[string]any

	name     string
	lines    func() map[string]int // of the keys, which take long to find
	mistakes []mistake
}

// A mistake is one thing to correct.
type mistake struct {
	line int
	text string
}

// Parse reads the text of the file of a name. The error is that it is no TOML, with
// the line.
func Parse(name, text string) (*Document, error) {
	var tree map[string]toml.Primitive
	meta, err := toml.Decode(text, &tree)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	d := &Document{name: name}
	if _, err := toml.Decode(text, &d.Table); err != nil {
		return nil, syntaxError(name, err)
	}
	d.lines = sync.OnceValue(func() map[string]int {
		lines := map[string]int{}
		for name, value := range tree {
			locate(&meta, toml.Key{name}, value, lines)
		}
		return lines
	})
	return d, nil
}

func syntaxError(name string, err error) error {
	var at toml.ParseError
	if errors.As(err, &at) {
		return fmt.Errorf("%s:%d: %s", name, at.Position.Line, at.Message)
	}
	return fmt.Errorf("%s:1: %w", name, err)
}

// A probe is a value that will not be decoded: the error about it says where
// the value stands, which the library tells in no other way.
type probe struct{}

var errProbe = errors.New("probe")

func (probe) UnmarshalTOML(any) error { return errProbe }

// locate stores the line of a key and of the keys below it, and returns it. A
// table that is named only as a part of other keys stands where its first one
// does. It takes time quadratic in the number of keys.
func locate(meta *toml.MetaData, key toml.Key, value toml.Primitive, lines map[string]int) int {
	var at toml.ParseError
	errors.As(meta.PrimitiveDecode(value, probe{}), &at)
	line := at.Position.Line
	var children map[string]toml.Primitive
	if meta.PrimitiveDecode(value, &children) == nil {
		for name, child := range children {
			below := locate(meta, append(key[:len(key):len(key)], name), child, lines)
			if at.Position.Line == 0 && (line == 0 || below < line) {
				line = below
			}
		}
	}
	lines[key.String()] = line
	return line
}

// line is where a key stands, or the table around it if the library did not say.
func (d *Document) line(key toml.Key) int {
	for ; len(key) > 0; key = key[:len(key)-1] {
		if line := d.lines()[key.String()]; line > 0 {
			return line
		}
	}
	return 1
}

// first is where the first key of a table stands, or the table if it has none.
func (d *Document) first(table toml.Key) int {
	first := 0
	for key, line := range d.lines() {
		if strings.HasPrefix(key, table.String()+".") && (first == 0 || line < first) {
			first = line
		}
	}
	return cmp.Or(first, d.line(table))
}

// Wrong records a mistake in the value of a key. The first one takes time quadratic in
// the number of keys.
func (d *Document) Wrong(key toml.Key, format string, args ...any) {
	d.add(d.line(key), key, fmt.Sprintf(format, args...))
}

// Each records every error that was joined in err, as mistakes in the value of a key;
// none if err is nil.
func (d *Document) Each(key toml.Key, err error) {
	if err != nil {
		d.each(d.line(key), key, err)
	}
}

// EachIn is Each of what is wrong in a table, where its first key stands.
func (d *Document) EachIn(table toml.Key, err error) {
	if err != nil {
		d.each(d.first(table), table, err)
	}
}

func (d *Document) each(line int, key toml.Key, err error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		d.add(line, key, err.Error())
		return
	}
	for _, err := range joined.Unwrap() {
		d.each(line, key, err)
	}
}

func (d *Document) add(line int, key toml.Key, text string) {
	d.mistakes = append(d.mistakes, mistake{line, key.String() + ": " + text})
}

// Unknown records that a key is none of those that are known in its table.
func (d *Document) Unknown(key toml.Key, known []string) {
	if near := nearest.To(key[len(key)-1], known); len(near) > 0 {
		d.Wrong(key, "unknown key; did you mean %q?", near[0])
		return
	}
	d.Wrong(key, "unknown key; known here: %s", strings.Join(known, ", "))
}

// Mistakes is how many were recorded.
func (d *Document) Mistakes() int { return len(d.mistakes) }

// Err has a line for every mistake, in the order in which they stand in the file; nil
// if there is none.
func (d *Document) Err() error {
	slices.SortStableFunc(d.mistakes, func(a, b mistake) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, m := range d.mistakes {
		errs = append(errs, fmt.Errorf("%s:%d: %s", d.name, m.line, m.text))
	}
	return errors.Join(errs...)
}

// Below is a key in a table.
func Below(table toml.Key, name string) toml.Key { return append(slices.Clone(table), name) }
