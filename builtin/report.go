package builtin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// A report gathers what a check found and becomes its Result.
type report struct {
	state    check.State
	findings []finding
	perf     []check.Perf
}

// A finding is one thing that a check looked at.
type finding struct {
	state check.State
	words string
}

func newReport() *report { return &report{state: check.StateOK} }

// value adds performance data that is judged by its own thresholds, and the
// words that go with it.
func (r *report) value(words string, p check.Perf) {
	r.found(judge(p.Value, p.Warn, p.Crit), words)
	r.data(p)
}

// checked is value for performance data that is judged by warn and crit, as
// they are given.
func (r *report) checked(words string, p check.Perf, args arguments) {
	p.Warn, p.Crit = one[threshold](args, "warn").of(0), one[threshold](args, "crit").of(0)
	r.value(words, p)
}

// found adds a finding.
func (r *report) found(s check.State, words string) {
	r.state = check.Worse(r.state, s)
	r.findings = append(r.findings, finding{s, words})
}

// data adds performance data that raises no alert.
func (r *report) data(p ...check.Perf) { r.perf = append(r.perf, p...) }

// result makes the Result. Its text is what raised alerts; all findings are
// then in the long text, unless that would repeat the text. Where nothing did,
// the text is summary, or all findings if that is empty.
func (r *report) result(summary string) check.Result {
	alerts := r.alerts()
	if len(alerts) == 0 {
		return r.saying(cmp.Or(summary, join(r.findings, ", ", false)), "")
	}
	uniform := !slices.ContainsFunc(alerts, func(f finding) bool { return f.state != r.state })
	long := ""
	if len(alerts) < len(r.findings) {
		long = join(r.findings, "\n", true)
	}
	return r.saying(join(alerts, ", ", !uniform), long)
}

func (r *report) saying(words, long string) check.Result {
	return check.Result{State: r.state, Text: r.state.String() + ": " + words, Long: long, Perf: r.perf}
}

// alerts are the findings that are not OK, worst first.
func (r *report) alerts() []finding {
	bad := slices.DeleteFunc(slices.Clone(r.findings), func(f finding) bool { return f.state == check.StateOK })
	slices.SortStableFunc(bad, func(a, b finding) int {
		switch {
		case a.state == b.state:
			return 0
		case check.Worse(a.state, b.state) == a.state:
			return -1
		}
		return 1
	})
	return bad
}

// join writes findings one after the other, with their states if they differ.
func join(findings []finding, separator string, states bool) string {
	words := make([]string, len(findings))
	for i, f := range findings {
		words[i] = f.words
		if states {
			words[i] = f.state.String() + " " + f.words
		}
	}
	return strings.Join(words, separator)
}
