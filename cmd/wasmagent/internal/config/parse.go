package config

import (
	"errors"
	"fmt"
	"sync"

	"github.com/BurntSushi/toml"
)

// parse reads a text as TOML: the document, and what finds the line on which each
// key stands, by the key as toml.Key.String writes it. That takes time quadratic in
// the number of keys, so it is for a file with a mistake. The error begins with the
// line.
func parse(text string) (document map[string]any, lines func() map[string]int, err error) {
	var tree map[string]toml.Primitive
	meta, err := toml.Decode(text, &tree)
	if err != nil {
		return nil, nil, syntaxError(err)
	}
	if _, err := toml.Decode(text, &document); err != nil {
		return nil, nil, syntaxError(err)
	}
	return document, sync.OnceValue(func() map[string]int {
		lines := map[string]int{}
		for name, value := range tree {
			locate(&meta, toml.Key{name}, value, lines)
		}
		return lines
	}), nil
}

func syntaxError(err error) error {
	var at toml.ParseError
	if errors.As(err, &at) {
		return fmt.Errorf("%d: %s", at.Position.Line, at.Message)
	}
	return fmt.Errorf("1: %w", err)
}

// A probe is a value that will not be decoded: the error about it says where
// the value stands, which the library tells in no other way.
type probe struct{}

var errProbe = errors.New("probe")

func (probe) UnmarshalTOML(any) error { return errProbe }

// locate stores the line of a key and of the keys below it, and returns it. A
// table that is named only as a part of other keys stands where its first one
// does.
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
