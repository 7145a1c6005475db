package builtin

import (
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/internal/nearest"
)

// arguments are a command's options after parsing, each value already of the
// type that the option's parse function makes.
type arguments struct {
	values map[string][]any
	words  []string // bare words and whatever follows the first of them
	help   bool
	asker  func(command string) bool // the Request.Allowed of whoever gave them
}

// one is the last value given for an option, or its default; the zero T if
// there is neither.
func one[T any](a arguments, name string) T {
	var last T
	for _, v := range a.values[name] {
		last = v.(T)
	}
	return last
}

// every is all values given for an option, or its default.
func every[T any](a arguments, name string) []T {
	all := make([]T, 0, len(a.values[name]))
	for _, v := range a.values[name] {
		all = append(all, v.(T))
	}
	return all
}

// has tells whether an option was given or has a default.
func (a arguments) has(name string) bool { return len(a.values[name]) > 0 }

// mistakes is everything that is wrong with a command line. It prints on one
// line, since that is what monitoring shows of a result.
type mistakes []error

func (m mistakes) Error() string {
	lines := make([]string, len(m))
	for i, err := range m {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "; ")
}

// Unwrap returns the single mistakes.
func (m mistakes) Unwrap() []error { return m }

// key matches what may stand before the "=" of an option, so that a counter
// name or a sentence with an equals sign in it is not taken for one.
var key = lazyregexp.New(`^[A-Za-z?][A-Za-z0-9_-]*$`)

// A parser reads one command line.
type parser struct {
	command *command
	arguments
	mistakes mistakes
}

// maxArguments is the most arguments that a command reads.
const maxArguments = 256

// parse reads the arguments of a command; the error holds all mistakes.
func (c *command) parse(args []string) (arguments, error) {
	if len(args) > maxArguments {
		return arguments{}, fmt.Errorf("%d arguments are more than %d", len(args), maxArguments)
	}
	p := parser{command: c, arguments: arguments{values: map[string][]any{}}}
	for len(args) > 0 && !p.help {
		args = p.next(args)
	}
	if p.help {
		return p.arguments, nil
	}
	p.fill()
	if len(p.mistakes) > 0 {
		return arguments{}, p.mistakes
	}
	return p.arguments, nil
}

// next takes one option, or all the words, and returns what is left.
func (p *parser) next(args []string) []string {
	arg, rest := args[0], args[1:]
	name, value, valued := strings.Cut(arg, "=")
	bare := strings.TrimLeft(name, "-")
	dashes := len(name) - len(bare)
	switch {
	case arg == "--":
		return p.take(rest)
	case dashes > 2, !key().MatchString(bare), dashes == 0 && !valued:
		return p.takeWord(args)
	case isHelp(bare) && !valued:
		p.help = true
		return nil
	case !valued && len(rest) == 0:
		p.wrong("option %q has no value", arg)
		return nil
	case !valued:
		value, rest = rest[0], rest[1:]
	}
	p.set(bare, value)
	return rest
}

func isHelp(name string) bool { return name == "help" || name == "h" || name == "?" }

// takeWord begins the words where there may be any.
func (p *parser) takeWord(args []string) []string {
	if args[0] == "help" && len(args) == 1 {
		p.help = true
		return nil
	}
	if p.command.words == "" {
		p.wrong("%q is no option: write name=value", args[0])
		return args[1:]
	}
	return p.take(args)
}

// take ends the options: all that follows are words.
func (p *parser) take(words []string) []string {
	if p.command.words == "" && len(words) > 0 {
		p.wrong("%q is no option: write name=value", words[0])
		return nil
	}
	p.words = words
	return nil
}

// set stores one value of an option.
func (p *parser) set(name, value string) {
	for _, o := range p.command.options {
		if !o.called(name) {
			continue
		}
		if len(p.values[o.name]) > 0 && !o.repeats {
			p.wrong("option %q is given twice", o.name)
			return
		}
		p.store(o, value)
		return
	}
	p.mistakes = append(p.mistakes, p.command.unknownOption(name))
}

func (p *parser) store(o option, value string) {
	v, err := o.parse(value)
	if err != nil {
		p.wrong("option %q: %w", o.name, err)
	}
	p.values[o.name] = append(p.values[o.name], v)
}

// fill gives the options that were left out their defaults.
func (p *parser) fill() {
	for _, o := range p.command.options {
		switch {
		case len(p.values[o.name]) > 0:
		case o.must:
			p.wrong("option %q is missing", o.usage())
		case o.preset != "":
			p.store(o, o.preset)
		}
	}
}

func (p *parser) wrong(format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf(format, args...))
}

// unknownOption says what might have been meant by a key.
func (c *command) unknownOption(name string) error {
	if hint, ok := foreign[strings.ToLower(name)]; ok {
		return fmt.Errorf("option %q of NSClient++ does not exist here: %s", name, hint)
	}
	var names []string
	for _, o := range c.options {
		names = append(append(names, o.name), o.aliases...)
	}
	if near := nearest.To(name, names); len(near) > 0 {
		return fmt.Errorf("unknown option %q (did you mean %q?)", name, near[0])
	}
	return fmt.Errorf("unknown option %q", name)
}
