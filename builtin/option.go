package builtin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// An option is one key that a command understands.
type option struct {
	name    string   // the spelling that is documented
	aliases []string // other spellings, single letters among them
	value   string   // what stands for its value in the help
	preset  string   // the default, written as a user would
	help    string   // one sentence
	must    bool     // the command cannot do without it
	repeats bool     // may be given several times
	parse   func(string) (any, error)
}

// called tells whether key is one of the option's spellings, in any case.
func (o option) called(key string) bool {
	same := func(s string) bool { return strings.EqualFold(s, key) }
	return same(o.name) || slices.ContainsFunc(o.aliases, same)
}

// usage is the option as it stands in the help's first column.
func (o option) usage() string { return o.name + "=" + o.value }

// describe is the option's sentence with its default.
func (o option) describe() string {
	var notes []string
	if o.must {
		notes = append(notes, "required")
	}
	if o.repeats {
		notes = append(notes, "may be repeated")
	}
	if o.preset != "" {
		notes = append(notes, "default "+visible(o.preset))
	}
	if len(o.aliases) > 0 {
		notes = append(notes, "also "+strings.Join(o.aliases, ", "))
	}
	if len(notes) == 0 {
		return o.help
	}
	return o.help + " (" + strings.Join(notes, "; ") + ")"
}

// visible quotes a value whose blanks would not be seen.
func visible(s string) string {
	if strings.TrimSpace(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// text takes a value as it is.
func text(s string) (any, error) { return s, nil }

// commandLine splits a value into the words of a command.
func commandLine(s string) (any, error) {
	words, err := check.Split(s)
	if err == nil && len(words) == 0 {
		err = errors.New("no command: write the name of one, and its arguments")
	}
	return words, err
}

// state reads the name or the exit status of a plugin state.
func state(s string) (any, error) {
	switch strings.ToLower(s) {
	case "ok", "0":
		return check.StateOK, nil
	case "warning", "warn", "1":
		return check.StateWarning, nil
	case "critical", "crit", "2":
		return check.StateCritical, nil
	case "unknown", "3":
		return check.StateUnknown, nil
	}
	return nil, fmt.Errorf("%q is no state: write ok, warning, critical or unknown", s)
}

// span reads a length of time within least and most.
func span(least, most time.Duration) func(string) (any, error) {
	return func(s string) (any, error) {
		n, err := seconds.number(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no time: write 30s, 5m, 2h or 1d", s)
		}
		if n < least.Seconds() || n > most.Seconds() {
			return nil, fmt.Errorf("%q is outside %s to %s", s, humanTime(least.Seconds()), humanTime(most.Seconds()))
		}
		return time.Duration(n * float64(time.Second)), nil
	}
}
