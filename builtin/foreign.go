package builtin

import (
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

// foreign says what to write instead of the keys that NSClient++'s checks have
// and these have not.
var foreign = map[string]string{
	"filter":         "there are no filter expressions; choose what is checked by name, as in drive=, process=, service= or interface=",
	"ok":             "there are no expressions; warn= and crit= take ranges",
	"empty-state":    "a check that finds nothing says so as an error",
	"top-syntax":     "the text has one form; format what you need from the performance data",
	"ok-syntax":      "the text has one form; format what you need from the performance data",
	"empty-syntax":   "the text has one form; format what you need from the performance data",
	"detail-syntax":  "the text has one form; format what you need from the performance data",
	"perf-syntax":    "performance data has one form, in base units",
	"perf-config":    "performance data has one form, in base units",
	"unique-index":   "performance data has one form, in base units",
	"list-separator": "the text has one form; format what you need from the performance data",
	"show-all":       "leave it out: everything that was checked is in the result already",
	"debug":          "leave it out",
}

// comparison matches an expression of NSClient++ such as "load > 80".
var comparison = lazyregexp.New(`^\s*([a-z_]*)\s*(<=|>=|!=|<|>|=|\b(?:lt|le|gt|ge|eq|ne|like|in|not)\b)\s*(-?[0-9.]*)\s*([a-z%]*)`)

// expressionHint is the range that means the same as an expression of
// NSClient++; ok is false if s is none.
func expressionHint(s string) (hint string, ok bool) {
	m := comparison().FindStringSubmatch(strings.ToLower(s))
	if m == nil {
		return "", false
	}
	word, op, number, unit := m[1], m[2], m[3], m[4]
	if n, err := strconv.ParseFloat(number, 64); err == nil && word == "free" && unit == "%" {
		number, op = strconv.FormatFloat(100-n, 'g', -1, 64), mirror[op]
	}
	switch {
	case number == "":
		return "", true
	case op == ">" || op == ">=" || op == "gt" || op == "ge":
		return number + unit, true
	case op == "<" || op == "<=" || op == "lt" || op == "le":
		return number + unit + ":", true
	case op == "=" || op == "eq":
		return "@" + number + unit + ":" + number + unit, true
	case op == "!=" || op == "ne":
		return number + unit + ":" + number + unit, true
	}
	return "", true
}

// mirror turns a comparison of what is free into one of what is used.
var mirror = map[string]string{
	"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!=",
	"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne",
}
