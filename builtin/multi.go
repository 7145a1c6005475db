package builtin

import (
	"context"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

func (h *Helpers) checkMulti() *command {
	return &command{
		name:    "check_multi",
		summary: "several commands as one",
		options: []option{
			commandOption(true, true, "a command and its arguments, as one value"),
			{name: "separator", value: "TEXT", preset: ", ", parse: text, help: "stands between the texts"},
			{name: "prefix", value: "TEXT", parse: text, help: "stands before the texts"},
			{name: "suffix", value: "TEXT", parse: text, help: "stands after the texts"},
		},
		about: []string{
			"The commands run one after the other. The state is the worst of theirs: CRITICAL, then WARNING, then\n" +
				"UNKNOWN, then OK; a command that could not be run is UNKNOWN. Performance data is that of all of them, in\n" +
				"their order; a label that was there already gets the command's name before it.",
		},
		example: []string{`command="check_load" command="check_process process=sshd"`},
		run:     h.runMulti,
	}
}

func (h *Helpers) runMulti(ctx context.Context, args arguments) (check.Result, error) {
	ctx = counting(ctx) // one count for all of them
	m := merger{state: check.StateOK, labels: map[string]bool{}}
	for _, words := range every[[]string](args, "command") {
		result, err := h.ask(ctx, args, words)
		if ctx.Err() != nil {
			return check.Result{}, context.Cause(ctx)
		}
		if err != nil {
			result = check.Unknown(err)
		}
		m.add(words[0], result)
	}
	texts := strings.Join(m.texts, one[string](args, "separator"))
	return check.Result{
		State: m.state,
		Text:  one[string](args, "prefix") + texts + one[string](args, "suffix"),
		Long:  strings.Join(m.long, "\n"),
		Perf:  m.perf,
	}, nil
}

// A merger makes one answer of several.
type merger struct {
	state  check.State
	texts  []string
	long   []string
	perf   []check.Perf
	labels map[string]bool
}

func (m *merger) add(command string, r check.Result) {
	m.state = check.Worse(m.state, r.State)
	m.texts = append(m.texts, r.Text)
	if r.Long != "" {
		m.long = append(m.long, r.Long)
	}
	for _, p := range r.Perf {
		p.Label = m.label(command, p.Label)
		m.perf = append(m.perf, p)
	}
}

// label is a label that is not there yet: itself, or with the command before
// it, numbered if need be.
func (m *merger) label(command, label string) string {
	free := label
	for n := 1; m.labels[free]; n++ {
		free = command + " " + label
		if n > 1 {
			free = command + "#" + strconv.Itoa(n) + " " + label
		}
	}
	m.labels[free] = true
	return free
}
