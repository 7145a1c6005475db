package guest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Option is one option of a command line, as the Monitoring Plugins write
// them: a letter, a long name, and perhaps an argument.
// https://www.monitoring-plugins.org/doc/guidelines.html#PLUGOPTIONS
type Option struct {
	// Short is the letter of the short form, such as 'w' for -w; 0 for none.
	Short rune
	// Long is the name of the long form, such as "warning" for --warning.
	Long string
	// Argument is what the help calls the argument, such as "RANGE". Without one
	// the option takes none. In brackets, such as "[VERSION]", it may be left out,
	// and is attached where it is given: -S1.2 or --ssl=1.2.
	Argument string
	// Help says what the option is for.
	Help string
	// Set takes the argument; "" where there is none.
	Set func(argument string) error
}

// Into makes an Option's Set of a variable and of what reads its value, such as
// Text, check.ParseRange, strconv.Atoi or regexp.Compile.
func Into[T any](v *T, read func(string) (T, error)) func(string) error {
	return func(argument string) (err error) {
		*v, err = read(argument)
		return err
	}
}

// True makes an Option's Set of a variable that the option switches on.
func True(v *bool) func(string) error {
	return Into(v, func(string) (bool, error) { return true, nil })
}

// Text reads any text.
func Text(s string) (string, error) { return s, nil }

// Port reads the number of a port, 1 to 65535.
func Port(s string) (int, error) {
	port, err := strconv.ParseUint(s, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%.40q is no port; want a number from 1 to 65535", s)
	}
	return int(port), nil
}

// takes tells whether the option takes an argument, and whether it must.
func (o Option) takes() (argument, must bool) {
	return o.Argument != "", o.Argument != "" && !strings.HasPrefix(o.Argument, "[")
}

// names writes the option as the help shows it: "-w, --warning=RANGE".
func (o Option) names() string {
	var names []string
	if o.Short != 0 {
		names = append(names, "-"+string(o.Short))
	}
	if o.Long != "" {
		names = append(names, "--"+o.Long)
	}
	text := strings.Join(names, ", ")
	if argument, must := o.takes(); argument && must {
		text += "=" + o.Argument
	} else if argument {
		text += "[=" + strings.Trim(o.Argument, "[]") + "]"
	}
	return text
}

// set calls Set, and names the option in its error.
func (o Option) set(as, argument string) error {
	if err := o.Set(argument); err != nil {
		return fmt.Errorf("%s: %w", as, err)
	}
	return nil
}

// parse reads the words of a command line as getopt_long does: letters may be
// joined (-Sp 443), an argument may be attached (-p443, --port=443), a long name
// may be cut short where that is unambiguous, options and other words may be
// mixed, and "--" ends the options. It sets all that it can and returns the other words
// and all mistakes.
func parse(options []Option, words []string) (rest []string, err error) {
	var mistakes []error
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--":
			return append(rest, words...), errors.Join(mistakes...)
		case strings.HasPrefix(word, "--"):
			words, err = long(options, word, words)
		case strings.HasPrefix(word, "-") && word != "-":
			words, err = short(options, word[1:], words)
		default:
			rest, err = append(rest, word), nil
		}
		mistakes = append(mistakes, err)
	}
	return rest, errors.Join(mistakes...)
}

// long takes a word such as --port=443, and the next one if it is the argument.
func long(options []Option, word string, next []string) (rest []string, err error) {
	as, argument, attached := strings.Cut(word, "=")
	o, err := named(options, as)
	if err != nil {
		return next, err
	}
	as = "--" + o.Long
	switch takes, must := o.takes(); {
	case attached && !takes:
		return next, fmt.Errorf("%s takes no argument", as)
	case must && !attached && len(next) == 0:
		return next, fmt.Errorf("%s lacks its %s", as, o.Argument)
	case must && !attached:
		argument, next = next[0], next[1:]
	}
	return next, o.set(as, argument)
}

// named finds the option of a long name, which may be cut short.
func named(options []Option, as string) (Option, error) {
	name := strings.TrimPrefix(as, "--")
	var found []string
	for _, o := range options {
		if o.Long == name {
			return o, nil
		}
		if o.Long != "" && strings.HasPrefix(o.Long, name) {
			found = append(found, "--"+o.Long)
		}
	}
	switch len(found) {
	case 0:
		return Option{}, fmt.Errorf("there is no option %.60s", as)
	case 1:
		return named(options, found[0])
	}
	return Option{}, fmt.Errorf("%.60s may be %s", as, strings.Join(found, " or "))
}

// short takes the letters of a word such as -Sp443, and the next word if it is
// the argument of the last.
func short(options []Option, letters string, next []string) (rest []string, err error) {
	var mistakes []error
	for letters != "" {
		letter := []rune(letters)[0]
		letters = strings.TrimPrefix(letters, string(letter))
		as := "-" + string(letter)
		i := slices.IndexFunc(options, func(o Option) bool { return o.Short == letter })
		if i < 0 {
			return next, errors.Join(append(mistakes, fmt.Errorf("there is no option %s", as))...)
		}
		argument := ""
		if takes, must := options[i].takes(); takes {
			argument, letters = letters, ""
			if must && argument == "" && len(next) == 0 {
				return nil, errors.Join(append(mistakes, fmt.Errorf("%s lacks its %s", as, options[i].Argument))...)
			}
			if must && argument == "" {
				argument, next = next[0], next[1:]
			}
		}
		mistakes = append(mistakes, options[i].set(as, argument))
	}
	return next, errors.Join(mistakes...)
}

// describe writes the options as the help lists them.
func describe(options []Option) string {
	var b strings.Builder
	for _, o := range options {
		fmt.Fprintf(&b, " %s\n", o.names())
		for line := range strings.SplitSeq(cmp.Or(o.Help, "..."), "\n") {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	return b.String()
}
