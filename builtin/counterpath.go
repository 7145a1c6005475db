package builtin

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxCounterPath is the longest counter path in bytes, as long as Windows has it.
const maxCounterPath = 2048

// A counterPath names a performance counter: \Object(Instance)\Counter, or
// \Object\Counter where the object has no instances. Its form is that of
// Windows (https://learn.microsoft.com/windows/win32/perfctrs/specifying-a-counter-path)
// without a computer: counters are those of this machine.
type counterPath struct {
	object, counter string
	instance        string // "" where there is none
}

// String is the path as it is typed.
func (p counterPath) String() string {
	if p.instance == "" {
		return `\` + p.object + `\` + p.counter
	}
	return `\` + p.object + `(` + p.instance + `)\` + p.counter
}

// wild tells whether the path stands for several instances.
func (p counterPath) wild() bool { return pattern(p.instance).wild() }

// key is equal for paths that name the same counter, in whatever language.
func (p counterPath) key() string { return fold(p.english().String()) }

// parseCounterPath reads a counter path. Backslashes may be doubled, as they
// are where a file format or a shell was expected to take one of them away.
func parseCounterPath(s string) (counterPath, error) {
	p, err := cutCounterPath(s)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return counterPath{}, fmt.Errorf(`counter %.200q: %w; write \Object(Instance)\Counter or \Object\Counter`, s, err)
	}
	return p, nil
}

func cutCounterPath(s string) (counterPath, error) {
	if len(s) > maxCounterPath {
		return counterPath{}, fmt.Errorf("it has %d bytes, more than %d", len(s), maxCounterPath)
	}
	body := strings.TrimLeft(s, `\`)
	var p counterPath
	open, end := strings.IndexByte(body, '('), strings.LastIndex(body, `)\`)
	if open >= 0 && end > open {
		p = counterPath{object: body[:open], instance: strings.TrimSpace(body[open+1 : end]), counter: body[end+1:]}
		if p.instance == "" {
			return p, errors.New("its instance is empty")
		}
	} else if cut := strings.LastIndexByte(body, '\\'); cut >= 0 {
		p = counterPath{object: strings.TrimRight(body[:cut], `\`), counter: body[cut:]}
	} else {
		return p, errors.New("it has no counter after the object")
	}
	p.counter = strings.TrimSpace(strings.TrimLeft(p.counter, `\`))
	if computer, object, ok := strings.Cut(p.object, `\`); ok && isHere(computer) {
		p.object = strings.TrimLeft(object, `\`)
	}
	p.object = strings.TrimSpace(p.object)
	return p, nil
}

// isHere tells whether a computer's name is one that every machine has for itself.
func isHere(computer string) bool { return computer == "." || strings.EqualFold(computer, "localhost") }

func (p counterPath) check() error {
	whole := p.String()
	switch {
	case p.object == "" || p.counter == "":
		return errors.New("its object or its counter is empty")
	case strings.Contains(p.object, `\`):
		return errors.New("it names another computer; counters are read on this one only")
	case strings.ContainsAny(p.object, "()"):
		return errors.New("its object has a parenthesis that is not closed")
	case !utf8.ValidString(whole) || strings.ContainsFunc(whole, unicode.IsControl):
		return errors.New("it has control characters or is not UTF-8")
	}
	return nil
}

// counterOption reads a counter path as the value of an option.
func counterOption(s string) (any, error) { return parseCounterPath(s) }
