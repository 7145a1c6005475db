package builtin

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

// A threshold is a range over a check's main value. The zero threshold is
// none: it raises no alert.
type threshold struct {
	set   bool
	share bool // the bounds are percent of a total that the check finds out
	bound check.Range
}

// of is the threshold in the unit of the value, where the whole is total; nil
// for none, and for a share of nothing.
func (t threshold) of(total float64) *check.Range {
	if !t.set || t.share && total <= 0 {
		return nil
	}
	r := t.bound
	if t.share {
		r.Start, r.End = r.Start*total/100, r.End*total/100
	}
	return &r
}

// thresholds are the options warn and crit for a value measured in m.
func thresholds(m measure, warn, crit string) []option {
	return []option{
		{name: "warn", aliases: []string{"warning", "w"}, value: "RANGE", preset: warn, parse: m.threshold, help: "WARNING for a value outside this range"},
		{name: "crit", aliases: []string{"critical", "c"}, value: "RANGE", preset: crit, parse: m.threshold, help: "CRITICAL for a value outside this range"},
	}
}

// threshold reads a range whose bounds may carry units; "none" and "" are no
// threshold.
func (m measure) threshold(s string) (any, error) {
	s = strings.TrimSpace(s)
	if s == "" || strings.EqualFold(s, "none") {
		return threshold{}, nil
	}
	if hint, ok := expressionHint(s); ok && hint != "" {
		return nil, fmt.Errorf("%q is an expression of NSClient++: write the range %s", s, hint)
	} else if ok {
		return nil, fmt.Errorf("%q is an expression of NSClient++: write a range, such as 80 (alert above) or 20: (alert below)", s)
	}
	return m.parseRange(s)
}

func (m measure) parseRange(s string) (any, error) {
	at, rest := "", s
	if strings.HasPrefix(s, "@") {
		at, rest = "@", s[1:]
	}
	start, end, colon := strings.Cut(rest, ":")
	if !colon {
		start, end = "", start
	}
	a, errA := m.bound(start)
	b, errB := m.bound(end)
	if err := errors.Join(errA, errB, mixed(a, b)); err != nil {
		return nil, fmt.Errorf("%q is no range: %w", s, err)
	}
	if colon {
		at += a.text + ":"
	}
	r, err := check.ParseRange(at + b.text)
	return threshold{set: true, share: a.share || b.share, bound: r}, err
}

// A bound is one end of a range, in base units.
type bound struct {
	text  string // as check.ParseRange reads it
	unit  string
	share bool
	zero  bool // open or zero: the same in every unit
}

func (m measure) bound(s string) (bound, error) {
	if s == "" || s == "~" {
		return bound{text: s, zero: true}, nil
	}
	n, unit, err := splitNumber(s)
	if err != nil {
		return bound{}, err
	}
	if unit == "%" && m.whole != "" {
		return bound{text: decimal(n), unit: unit, share: n != 0, zero: n == 0}, nil
	}
	factor, ok := m.units[strings.ToLower(unit)]
	if !ok {
		return bound{}, fmt.Errorf("%q: %s", s, m.complaint(unit))
	}
	return bound{text: decimal(n * factor), unit: unit, zero: n == 0}, nil
}

// mixed refuses a range such as 10:20GB, which could mean 10 bytes or 10 GB.
func mixed(a, b bound) error {
	if a.zero || b.zero || (a.unit == "") == (b.unit == "") && a.share == b.share {
		return nil
	}
	return errors.New("give both ends a unit of the same kind")
}

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// judge is the state of a value under its thresholds.
func judge(v float64, warn, crit *check.Range) check.State {
	switch {
	case crit != nil && crit.Alerts(v):
		return check.StateCritical
	case warn != nil && warn.Alerts(v):
		return check.StateWarning
	}
	return check.StateOK
}

// percentOf is the threshold as percent of total, for performance data that
// shows the same value as a share.
func (t threshold) percentOf(total float64) threshold {
	if r := t.of(total); r != nil {
		scaled := check.Range{Start: tidy(100 * r.Start / total), End: tidy(100 * r.End / total), Inside: r.Inside}
		return threshold{set: true, bound: scaled}
	}
	return threshold{}
}

// whole rounds the bounds of a range over things that are counted.
func whole(r *check.Range) *check.Range {
	if r == nil {
		return nil
	}
	return &check.Range{Start: math.Round(r.Start), End: math.Round(r.End), Inside: r.Inside}
}
