package guest

import "github.com/wasmagent/wasmagent/check"

// Thresholds are the ranges that a value is compared with. A nil range raises
// no alert.
type Thresholds struct {
	Warn, Crit *check.Range
}

// Options are -w and -c, which read the ranges; value says what is compared,
// such as "response time in seconds".
func (t *Thresholds) Options(value string) []Option {
	return []Option{
		{'w', "warning", "RANGE", "the " + value + ", WARNING outside of this range", Into(&t.Warn, newRange)},
		{'c', "critical", "RANGE", "the " + value + ", CRITICAL outside of this range", Into(&t.Crit, newRange)},
	}
}

func newRange(s string) (*check.Range, error) {
	r, err := check.ParseRange(s)
	return &r, err
}

// State is what a value means: CRITICAL or WARNING where the range of that name
// raises an alert, else OK. NaN is UNKNOWN.
func (t Thresholds) State(value float64) check.State {
	switch {
	case value != value:
		return check.StateUnknown
	case t.Crit != nil && t.Crit.Alerts(value):
		return check.StateCritical
	case t.Warn != nil && t.Warn.Alerts(value):
		return check.StateWarning
	}
	return check.StateOK
}

// Perf is a value as performance data, with the ranges that it was compared
// with.
func (t Thresholds) Perf(label string, value float64, unit string) check.Perf {
	return check.Perf{Label: label, Value: value, Unit: unit, Warn: t.Warn, Crit: t.Crit}
}
