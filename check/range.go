package check

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
)

// A Range is a threshold range: an alert is raised for a value outside of
// Start..End, or within it if Inside is set.
// https://www.monitoring-plugins.org/doc/guidelines.html#THRESHOLDFORMAT
type Range struct {
	// Start and End are the bounds, both of them in the range; -Inf and +Inf
	// are its open ends.
	Start, End float64
	// Inside is the leading "@": alert inside the range.
	Inside bool
}

// Contains tells whether v is within Start..End, both ends included.
func (r Range) Contains(v float64) bool { return v >= r.Start && v <= r.End }

// Alerts tells whether v raises an alert. NaN never does.
func (r Range) Alerts(v float64) bool { return v == v && r.Contains(v) == r.Inside }

// ParseRange reads a threshold range: "10" is 0 to 10, "10:" is 10 and above,
// "~:10" is 10 and below, "10:20" is 10 to 20, and a leading "@" alerts inside
// of the range. ":10" is "10", as in the Monitoring Plugins' own parser. The
// error shows s and says what is wrong with it.
func ParseRange(s string) (Range, error) {
	r, err := parseRange(s)
	if err != nil {
		return Range{}, fmt.Errorf("range %.100q: %w; want a range such as 10, 10:, ~:10, 10:20 or @10:20", s, err)
	}
	return r, nil
}

func parseRange(s string) (Range, error) {
	text, inside := strings.CutPrefix(s, "@")
	low, high, colon := strings.Cut(text, ":")
	if !colon {
		low, high = "", text
	}
	if low == "" && high == "" {
		return Range{}, errors.New("it has no bound")
	}
	start, err1 := parseBound(low, "~", math.Inf(-1), 0)
	end, err2 := parseBound(high, "", math.Inf(1), math.Inf(1))
	if err := cmp.Or(err1, err2); err != nil {
		return Range{}, err
	}
	if start > end {
		return Range{}, fmt.Errorf("it begins at %s, above its end %s", formatNumber(start), formatNumber(end))
	}
	return Range{Start: start, End: end, Inside: inside}, nil
}

// parseBound reads one end of a range: a number, the sign of infinity, or
// nothing.
func parseBound(s, sign string, infinite, absent float64) (float64, error) {
	switch s {
	case "":
		return absent, nil
	case sign:
		return infinite, nil
	}
	v, err := parseNumber(s)
	if err != nil {
		return 0, fmt.Errorf("%.40q is %w", s, err)
	}
	return v, nil
}

// String writes the range in its shortest form, which ParseRange reads.
func (r Range) String() string {
	var b strings.Builder
	if r.Inside {
		b.WriteByte('@')
	}
	switch {
	case math.IsInf(r.Start, -1):
		b.WriteString("~:")
	case r.Start != 0 || math.IsInf(r.End, 1):
		b.WriteString(formatNumber(r.Start) + ":")
	}
	if !math.IsInf(r.End, 1) {
		b.WriteString(formatNumber(r.End))
	}
	return b.String()
}

// field is the range as a field of performance data: empty where there is no
// range, or one that no text stands for.
func (r *Range) field() string {
	if r == nil || !(r.Start <= r.End) || math.IsInf(r.Start, 1) || math.IsInf(r.End, -1) {
		return ""
	}
	return r.String()
}
