package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A step leads from a value into it: to a member, or to an element if index is
// set.
type step struct {
	member string
	index  *int
}

// parsePath reads a path such as .a["b c"][0].
func parsePath(path string) (steps []step, err error) {
	if path == "" {
		return nil, errors.New(`which value? give --path, such as .status.queues[0].length, or . for the whole`)
	}
	for rest := path; rest != "" && path != "."; {
		s, after, ok := cutStep(rest)
		if !ok {
			return nil, fmt.Errorf(`--path %.100q: %.40q is no step; want .NAME, ["NAME"] or [INDEX]`, path, rest)
		}
		steps, rest = append(steps, s), after
	}
	return steps, nil
}

// cutStep reads the step that a path begins with. There is no regular expression
// in this program: the package would make it half a megabyte larger.
func cutStep(path string) (s step, after string, ok bool) {
	if quoted, found := strings.CutPrefix(path, `["`); found {
		s.member, after, ok = strings.Cut(quoted, `"]`)
		return s, after, ok
	}
	if number, found := strings.CutPrefix(path, "["); found {
		number, after, ok = strings.Cut(number, "]")
		index, err := strconv.Atoi(number)
		return step{index: &index}, after, ok && err == nil
	}
	name, found := strings.CutPrefix(path, ".")
	if end := strings.IndexAny(name, `.[]"`); end >= 0 {
		name, after = name[:end], name[end:]
	}
	return step{member: name}, after, found && name != ""
}

// find follows the steps through a JSON document, and returns the value as text:
// a string as it is, anything else as JSON.
func find(document []byte, steps []step) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", fmt.Errorf("the answer is not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("the answer is not JSON: there is more after its end")
	}
	walked := ""
	for _, s := range steps {
		next, ok := s.into(value)
		if !ok {
			return "", fmt.Errorf("the answer has no %s%s; %s is %s", walked, s, "."+strings.TrimPrefix(walked, "."), kind(value))
		}
		value, walked = next, walked+s.String()
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}

func (s step) into(value any) (next any, ok bool) {
	switch v := value.(type) {
	case map[string]any:
		if s.index == nil {
			next, ok = v[s.member]
		}
	case []any:
		if s.index == nil {
			return nil, false
		}
		i := *s.index
		if i < 0 {
			i += len(v)
		}
		if i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return next, ok
}

func (s step) String() string {
	if s.index != nil {
		return "[" + strconv.Itoa(*s.index) + "]"
	}
	return "." + s.member
}

// kind says what a value is, for people.
func kind(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(v))
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case string:
		return "a text"
	case nil:
		return "null"
	case bool:
		return "true or false"
	}
	return "a number"
}
