package check

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// A Perf is one item of performance data:
// 'label'=value[unit];[warn];[crit];[min];[max]
// https://www.monitoring-plugins.org/doc/guidelines.html#AEN201
type Perf struct {
	// Label is the name, unquoted.
	Label string
	// Value is the measured value; NaN is "U", not determined.
	Value float64
	// Unit is the unit of measurement: "", "s", "ms", "us", "%", "B", "KB",
	// "MB", "GB", "TB", "c" (a continuous counter), or another one.
	Unit string
	// Warn and Crit are the thresholds; nil where there is none.
	Warn, Crit *Range
	// Min and Max bound the value; nil where there is none.
	Min, Max *float64
}

// String writes the item as plugins print it: the label in quotes where it
// needs them, numbers in their shortest exact form, no trailing semicolons. A
// value that is NaN or infinite is written "U", without a unit.
func (p Perf) String() string {
	fields := []string{quoteLabel(p.Label) + "=" + p.value(), p.Warn.field(), p.Crit.field(), field(p.Min), field(p.Max)}
	return strings.TrimRight(strings.Join(fields, ";"), ";")
}

func (p Perf) value() string {
	if !finite(p.Value) {
		return "U"
	}
	return formatNumber(p.Value) + p.Unit
}

func field(bound *float64) string {
	if bound == nil || !finite(*bound) {
		return ""
	}
	return formatNumber(*bound)
}

func quoteLabel(label string) string {
	label = singleLine(label)
	if label != "" && !strings.ContainsAny(label, "'=|") && strings.IndexFunc(label, isBlank) < 0 {
		return label
	}
	return "'" + strings.ReplaceAll(label, "'", "''") + "'"
}

// parsePerf reads one item. Whatever it does not understand whole is no item:
// ok is false.
func parsePerf(item string) (p Perf, ok bool) {
	label, data, ok := cutLabel(item)
	if !ok {
		return Perf{}, false
	}
	var fields [5]string
	n := 0
	for field := range strings.SplitSeq(strings.TrimRight(data, ";"), ";") {
		if n == len(fields) {
			return Perf{}, false
		}
		fields[n] = field
		n++
	}
	value, unit, ok := parseValue(fields[0])
	for i := range fields {
		fields[i] = strings.TrimSuffix(fields[i], unit) // some plugins repeat it in the thresholds
	}
	warn, err1 := optional(fields[1], ParseRange)
	crit, err2 := optional(fields[2], ParseRange)
	low, err3 := optional(fields[3], parseNumber)
	high, err4 := optional(fields[4], parseNumber)
	if !ok || errors.Join(err1, err2, err3, err4) != nil {
		return Perf{}, false
	}
	return Perf{label, value, unit, warn, crit, low, high}, true
}

// cutLabel cuts an item into its label, unquoted, and what follows the "=".
func cutLabel(item string) (label, data string, ok bool) {
	if n := quotedLength(item); n > 0 {
		return strings.ReplaceAll(item[1:n-2], "''", "'"), item[n:], true
	}
	label, data, ok = strings.Cut(item, "=")
	return label, data, ok && label != "" && label[0] != '\''
}

// quotedLength is the length of the label in quotes that s begins with, its
// quotes and its "=" included; zero if s begins with none. A quote within the
// label is doubled.
func quotedLength(s string) int {
	if !strings.HasPrefix(s, "'") {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
		case strings.HasPrefix(s[i:], "''"):
			i++
		case strings.HasPrefix(s[i:], "'="):
			return i + 2
		default:
			return 0
		}
	}
	return 0
}

// parseValue reads a number and its unit, or "U".
func parseValue(s string) (value float64, unit string, ok bool) {
	if s == "U" {
		return math.NaN(), "", true
	}
	n := numberLength(s)
	value, err := parseNumber(s[:n])
	return value, s[n:], err == nil && validUnit(s[n:])
}

// validUnit refuses what the guidelines exclude from units (digits, quotes,
// semicolons), and what would make a number or a range ambiguous.
func validUnit(unit string) bool {
	return !strings.ContainsAny(unit, "0123456789'\"=|:~@.,+-") &&
		strings.IndexFunc(unit, func(r rune) bool { return isBlank(r) || !unicode.IsPrint(r) }) < 0
}

// numberLength is the length of the decimal number that s begins with: sign,
// digits, fraction, exponent. Zero if it begins with none.
func numberLength(s string) int {
	sign := oneOf(s, "+-")
	whole := digits(s[sign:])
	point := oneOf(s[sign+whole:], ".")
	fraction := digits(s[sign+whole+point:])
	if whole+fraction == 0 {
		return 0
	}
	n := sign + whole + point + fraction
	if e := oneOf(s[n:], "eE"); e == 1 {
		e += oneOf(s[n+e:], "+-")
		if power := digits(s[n+e:]); power > 0 {
			return n + e + power
		}
	}
	return n
}

// digits counts the decimal digits that s begins with.
func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// oneOf is 1 if s begins with a byte of set, or else 0.
func oneOf(s, set string) int {
	if s != "" && strings.IndexByte(set, s[0]) >= 0 {
		return 1
	}
	return 0
}

func parseNumber(s string) (float64, error) {
	if s == "" || numberLength(s) != len(s) {
		return 0, errors.New("not a decimal number")
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, errors.New("too large a number")
	}
	return v, nil
}

// formatNumber writes the shortest decimal that reads as the same number; with
// an exponent only where it would be very long without.
func formatNumber(v float64) string {
	if size := math.Abs(v); v != 0 && (size < 1e-7 || size >= 1e21) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// optional parses a field that may be empty.
func optional[T any](s string, parse func(string) (T, error)) (*T, error) {
	if s == "" {
		return nil, nil
	}
	v, err := parse(s)
	return &v, err
}
