package zipmod

import (
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/internal/nearest"
	"github.com/wasmagent/wasmagent/policy"
)

// The kinds of events that a module can hear of.
const (
	OnResult      = "result"       // every run of a command
	OnStateChange = "state_change" // a run that changes the hard state of a scheduled check
)

// The bounds of "subscribe". Every event is compared with every pattern.
const (
	MaxSubscriptions = 16
	maxCommands      = 32 // patterns of one subscription
)

// A Subscription has a command of the module run for each of some events.
type Subscription struct {
	// On is the kind of the events: OnResult or OnStateChange.
	On string
	// Commands are patterns of the commands whose events they are, as they were
	// written; empty is every command.
	Commands []string
	// Alias is the command of the module that is run, and Args its arguments.
	Alias string
	Args  []string

	patterns policy.Patterns // of Commands, as paths in small letters
}

// Matches tells whether the subscription is to the command of a name, or of
// another case of it.
func (s Subscription) Matches(command string) bool {
	return len(s.patterns) == 0 || s.patterns.Match(EventPath(strings.ToLower(command)))
}

// EventPath is the path that the right to hear of a command's events is a grant
// of.
func EventPath(command string) string { return "/event/" + command }

// subscriptions lists what "subscribe" says. The scripts are the module's own,
// whose commands it can have run.
func (d *decoder) subscriptions(n node, scripts []Script) []Subscription {
	var list []Subscription
	for i, item := range n.items() {
		if i == MaxSubscriptions {
			d.report(item.at, "subscribe has more than %d entries; join those that run the same", MaxSubscriptions)
			break
		}
		s := Subscription{On: item.member("on").text()}
		s.Commands, s.patterns = d.commands(item.member("commands"))
		s.Alias, s.Args = d.own(item.member("run"), scripts)
		list = append(list, s)
	}
	return list
}

// commands reads patterns of commands.
func (d *decoder) commands(n node) (written []string, patterns policy.Patterns) {
	if items, is := n.value.([]node); is && (len(items) == 0 || len(items) > maxCommands) {
		d.report(n.at, "commands has %d patterns; list 1 to %d, or take it out to hear of every command", len(items), maxCommands)
		return nil, nil
	}
	for _, item := range n.items() {
		parsed, err := policy.ParsePatterns([]string{EventPath(strings.ToLower(item.text()))})
		switch {
		case !commandGlob.matches(item.text()):
		case err != nil:
			d.report(item.at, "%.80q is no pattern of commands; close every \"[\", and write \"*\" and not \"**\"", item.text())
		default:
			written, patterns = append(written, item.text()), append(patterns, parsed...)
		}
	}
	return written, patterns
}

// own reads a command line that runs a command of the module itself.
func (d *decoder) own(n node, scripts []Script) (alias string, args []string) {
	if n.text() == "" {
		return "", nil
	}
	words := d.split(n)
	if len(words) == 0 {
		return "", nil
	}
	aliases := make([]string, len(scripts))
	for i, s := range scripts {
		if aliases[i] = s.Alias; fold(s.Alias) == fold(words[0]) {
			return s.Alias, words[1:]
		}
	}
	hint := "name one of its scripts"
	if near := nearest.To(words[0], aliases); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	d.report(n.at, "run names %.80q, which is no command of this module; %s", words[0], hint)
	return "", nil
}
