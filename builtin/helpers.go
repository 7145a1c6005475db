package builtin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// Helpers is the module CheckHelpers: commands that answer what they are told
// to, or run other commands and make something of their answers. It is safe
// for concurrent use.
type Helpers struct{ dispatch check.Runner }

// NewHelpers returns CheckHelpers. The commands that it runs are looked up by
// dispatch, with the origin check.Check; dispatch bounds how deep they nest.
func NewHelpers(dispatch check.Runner) *Helpers { return &Helpers{dispatch} }

// Name is "CheckHelpers".
func (h *Helpers) Name() string { return "CheckHelpers" }

// Description is one sentence for people.
func (h *Helpers) Description() string {
	return "answers with a fixed state, or runs other commands and combines, inverts or bounds their answers"
}

// Close does nothing and returns nil.
func (h *Helpers) Close() error { return nil }

// Commands are the module's commands by name.
func (h *Helpers) Commands() map[string]check.Runner { return commands(h.list()...) }

func (h *Helpers) list() []*command {
	return []*command{
		fixed("check_ok", check.StateOK), fixed("check_warning", check.StateWarning), fixed("check_critical", check.StateCritical),
		h.checkMulti(), h.checkNegate(), h.checkTimeout(), h.checkAlwaysOK(),
	}
}

// fixed is a command whose state never changes.
func fixed(name string, s check.State) *command {
	return &command{
		name:    name,
		summary: "always " + s.String() + ", with the text that it is given",
		words:   "TEXT...",
		options: []option{{name: "message", aliases: []string{"m"}, value: "TEXT", parse: text, help: "the text, instead of the words"}},
		example: []string{"message=\"the cause\""},
		run: func(_ context.Context, args arguments) (check.Result, error) {
			words := strings.TrimSpace(one[string](args, "message") + " " + strings.Join(args.words, " "))
			if words == "" {
				return check.Result{State: s, Text: s.String()}, nil
			}
			return check.Result{State: s, Text: s.String() + ": " + words}, nil
		},
	}
}

// commandOption names the command that another one runs.
func commandOption(must, repeats bool, help string) option {
	return option{name: "command", value: "LINE", must: must, repeats: repeats, parse: commandLine, help: help}
}

const oneCommand = "the command and its arguments, as one value; or write them last, as they are"

func (h *Helpers) checkNegate() *command {
	return &command{
		name:    "check_negate",
		summary: "another command with its states exchanged",
		words:   "COMMAND ARGUMENT...",
		options: []option{
			commandOption(false, false, oneCommand),
			{name: "ok", aliases: []string{"o"}, value: "STATE", parse: state, help: "the answer for OK"},
			{name: "warning", aliases: []string{"warn", "w"}, value: "STATE", parse: state, help: "the answer for WARNING"},
			{name: "critical", aliases: []string{"crit", "c"}, value: "STATE", parse: state, help: "the answer for CRITICAL"},
			{name: "unknown", aliases: []string{"u"}, value: "STATE", parse: state, help: "the answer for UNKNOWN"},
		},
		about: []string{
			"Without any of the states OK and CRITICAL change places. With some, the others stay as they are. A state's\n" +
				"name at the beginning of the text changes with it. A command that could not be run stays UNKNOWN.",
		},
		example: []string{`command="check_process process=telnetd"`, "ok=critical critical=ok check_process process=telnetd"},
		run:     h.runNegate,
	}
}

func (h *Helpers) runNegate(ctx context.Context, args arguments) (check.Result, error) {
	words, err := inner(args)
	if err != nil {
		return check.Result{}, err
	}
	result, err := h.ask(ctx, args, words)
	if err != nil {
		return result, err
	}
	was := result.State
	result.State = negated(was, args)
	if rest, ok := strings.CutPrefix(result.Text, was.String()); ok {
		result.Text = result.State.String() + rest
	}
	return result, nil
}

// negated is the answer for a state; each is looked up by the state that the
// command gave, so that two of them can change places.
func negated(s check.State, args arguments) check.State {
	names := map[check.State]string{
		check.StateOK: "ok", check.StateWarning: "warning", check.StateCritical: "critical", check.StateUnknown: "unknown",
	}
	given := false
	for _, name := range names {
		given = given || args.has(name)
	}
	switch {
	case args.has(names[s]):
		return one[check.State](args, names[s])
	case !given && s == check.StateOK:
		return check.StateCritical
	case !given && s == check.StateCritical:
		return check.StateOK
	}
	return s
}

func (h *Helpers) checkTimeout() *command {
	return &command{
		name:    "check_timeout",
		summary: "another command, ended when it takes too long",
		words:   "COMMAND ARGUMENT...",
		options: []option{
			commandOption(false, false, oneCommand),
			{name: "timeout", aliases: []string{"t"}, value: "TIME", preset: "30s", parse: span(time.Millisecond, 24*time.Hour),
				help: "how long it may take"},
			{name: "return", aliases: []string{"r"}, value: "STATE", preset: "unknown", parse: state, help: "the answer when it takes longer"},
		},
		about:   []string{"The agent's own time limit holds as well; the shorter one counts."},
		example: []string{`timeout=5s return=critical command="check_process process=sshd"`},
		run:     h.runTimeout,
	}
}

var errTookTooLong = errors.New("check_timeout: the time is up")

func (h *Helpers) runTimeout(ctx context.Context, args arguments) (check.Result, error) {
	words, err := inner(args)
	if err != nil {
		return check.Result{}, err
	}
	limit := one[time.Duration](args, "timeout")
	bounded, cancel := context.WithTimeoutCause(ctx, limit, errTookTooLong)
	defer cancel()
	result, err := h.ask(bounded, args, words)
	if context.Cause(bounded) != errTookTooLong {
		return result, err
	}
	s := one[check.State](args, "return")
	return check.Result{State: s, Text: fmt.Sprintf("%s: %s did not answer within %s", s, words[0], humanTime(limit.Seconds())), Usage: result.Usage}, nil
}

func (h *Helpers) checkAlwaysOK() *command {
	return &command{
		name:    "check_always_ok",
		summary: "another command, whose answer counts as OK",
		words:   "COMMAND ARGUMENT...",
		options: []option{commandOption(false, false, oneCommand)},
		about: []string{
			"Text and performance data are the command's own. A command that could not be run is UNKNOWN all the same:\n" +
				"there is no answer that could count.",
		},
		example: []string{"check_cpu warn=50"},
		run: func(ctx context.Context, args arguments) (check.Result, error) {
			words, err := inner(args)
			if err != nil {
				return check.Result{}, err
			}
			result, err := h.ask(ctx, args, words)
			if err == nil {
				result.State = check.StateOK
			}
			return result, err
		},
	}
}
