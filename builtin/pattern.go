package builtin

import (
	"fmt"
	"slices"
	"strings"
)

// A pattern is a name in which "*" stands for any run of letters and "?" for
// any one. It is kept folded: patterns ignore case.
type pattern string

// maxPattern is the longest name on a command line, in bytes.
const maxPattern = 256

// asPattern reads a pattern.
func asPattern(s string) (any, error) {
	if s == "" || len(s) > maxPattern {
		return nil, fmt.Errorf("%.100q has %d bytes: write a name of 1 to %d", s, len(s), maxPattern)
	}
	return pattern(fold(s)), nil
}

// wild tells whether the pattern may stand for several names.
func (p pattern) wild() bool { return strings.ContainsAny(string(p), "*?") }

// matches tells whether the pattern stands for name. Its time is bounded by
// the product of the two lengths.
func (p pattern) matches(name string) bool {
	pat, s := []rune(p), []rune(fold(name))
	star, mark, i, j := -1, 0, 0, 0
	for j < len(s) {
		switch {
		case i < len(pat) && pat[i] == '*':
			star, mark = i, j
			i++
		case i < len(pat) && (pat[i] == '?' || pat[i] == s[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(pat[i:]), "*") == ""
}

// matchAny tells whether one of the patterns stands for one of the names.
func matchAny(patterns []pattern, names ...string) bool {
	return slices.ContainsFunc(patterns, func(p pattern) bool {
		return slices.ContainsFunc(names, p.matches)
	})
}

// folding maps what people and systems write in different ways onto one
// spelling, in names of counters above all.
var folding = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'", "–", "-", "—", "-")

// fold is the spelling by which names are compared: small letters, single
// blanks, plain dashes and apostrophes.
func fold(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(folding.Replace(s)), " "))
}
