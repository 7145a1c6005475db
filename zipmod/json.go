package zipmod

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxNesting is the deepest nesting of JSON that is looked into; module.json
// needs four levels.
const maxNesting = 16

// A node is a JSON value with its place in the file.
type node struct {
	at    int // offset of its first byte
	value any // string, json.Number, bool, nil, []node or []member
}

// A member is one key of a JSON object with its value.
type member struct {
	key string
	at  int // offset of the key
	node
}

// kind names the type of the value.
func (n node) kind() string {
	switch n.value.(type) {
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	case []node:
		return "a list"
	case []member:
		return "an object"
	}
	return "null"
}

// member returns the value of a key; the zero node if there is none.
func (n node) member(key string) node {
	members, _ := n.value.([]member)
	for _, m := range members {
		if m.key == key {
			return m.node
		}
	}
	return node{}
}

// text is the value as a string, empty if it is none.
func (n node) text() string {
	s, _ := n.value.(string)
	return s
}

// items are the values of a list.
func (n node) items() []node {
	list, _ := n.value.([]node)
	return list
}

// parseJSON reads one JSON document. Syntax is encoding/json's to judge; this
// adds the places of values, and keeps keys that are there twice. The error
// gives the place of the first mistake.
func parseJSON(data []byte) (node, error) {
	if err := checkEncoding(data); err != nil {
		return node{}, err
	}
	var document json.RawMessage
	if err := json.Unmarshal(data, &document); err != nil {
		return node{}, explainSyntax(data, err)
	}
	r := reader{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	r.decoder.UseNumber()
	return r.node(0)
}

// checkEncoding refuses what encoding/json would silently repair or explain by
// a strange character.
func checkEncoding(data []byte) error {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return mistakeAt(data, 0, "is UTF-16; save it as UTF-8")
	}
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return mistakeAt(data, at, "is not UTF-8 here; save it as UTF-8")
		}
		at += size
	}
	return nil
}

// explainSyntax adds the place, and what people who write JSON by hand mean.
func explainSyntax(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return mistakeAt(data, 0, "%w", err)
	}
	at := int(syntax.Offset) - 1
	if err.Error() == "unexpected end of JSON input" {
		return mistakeAt(data, len(data), "%w; close what is open", err)
	}
	before := bytes.TrimRight(data[:at], " \t\r\n")
	switch c := data[at]; {
	case (c == ']' || c == '}') && bytes.HasSuffix(before, []byte(",")):
		return mistakeAt(data, at, "%w; take out the comma before it", err)
	case c == '/' || c == '#':
		return mistakeAt(data, at, "%w; JSON has no comments", err)
	case c == '\'':
		return mistakeAt(data, at, "%w; write strings in double quotes", err)
	case c < ' ':
		return mistakeAt(data, at, "%w; write a backslash and n for a line break", err)
	}
	return mistakeAt(data, at, "%w", err)
}

// A reader builds nodes from the tokens of a document that is valid JSON.
type reader struct {
	data    []byte
	decoder *json.Decoder
}

// next is the offset of the next token.
func (r reader) next() int {
	at := int(r.decoder.InputOffset())
	for at < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[at]) >= 0 {
		at++
	}
	return at
}

// node reads the next value, which lies in so many lists and objects.
func (r reader) node(depth int) (node, error) {
	n := node{at: r.next()}
	if depth > maxNesting {
		return n, mistakeAt(r.data, n.at, "is nested deeper than %d levels", maxNesting)
	}
	token, err := r.decoder.Token()
	if err != nil {
		return n, mistakeAt(r.data, n.at, "%w", err)
	}
	switch token {
	case json.Delim('['):
		n.value, err = r.list(depth + 1)
	case json.Delim('{'):
		n.value, err = r.object(depth + 1)
	default:
		n.value = token
	}
	return n, err
}

func (r reader) list(depth int) ([]node, error) {
	list := []node{}
	for r.decoder.More() {
		n, err := r.node(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	_, err := r.decoder.Token()
	return list, err
}

func (r reader) object(depth int) ([]member, error) {
	members := []member{}
	for r.decoder.More() {
		key, err := r.node(depth)
		if err != nil {
			return nil, err
		}
		value, err := r.node(depth)
		if err != nil {
			return nil, err
		}
		members = append(members, member{key: key.text(), at: key.at, node: value})
	}
	_, err := r.decoder.Token()
	return members, err
}

// mistakeAt is an error about a place in module.json, with the line and the
// column, both counted from 1 and the column in characters.
func mistakeAt(data []byte, at int, format string, args ...any) error {
	before := data[:at]
	line := bytes.Count(before, []byte("\n"))
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("%s:%d:%d: %w", manifestName, line+1, column+1, fmt.Errorf(format, args...))
}
