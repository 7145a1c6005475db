// Package policy says what a module may touch: which paths of the guest's file
// system, and how much of everything.
//
// Everything that a script can reach is a path, so a permission (what a module
// asks for) and a grant (what the operator allows) are both globs over paths.
// One rule holds: an open is allowed when a pattern that the module asked for
// and a pattern that the operator granted both match its path. A grant wider
// than the request widens nothing, and a grant narrower than the request
// narrows it. A connection has to be allowed by its path and by its address
// (Access.AllowsAddress).
//
// Patterns are those of https://github.com/bmatcuk/doublestar, one segment at a
// time: "*" matches within a segment, "**" is a segment of its own and matches
// any number of them, none included, "?" is one character, "[...]" a class and
// "{a,b}" alternatives. None but "**" matches a "/". They match
// case-sensitively.
//
// A module's patterns are hostile, and so are the paths that its scripts open:
// ParsePatterns bounds a list so that the costliest path takes a fraction of a
// second to match, and a usual one microseconds.
//
// All values are immutable once made and safe for concurrent use. The package
// holds no state and touches nothing.
package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

const (
	// MaxPattern is the longest pattern in bytes.
	MaxPattern = 1024
	// MaxBraces is the most "{a,b}" in one pattern.
	MaxBraces = 2
	// MaxPath is the longest path in bytes that a pattern matches: the shortest
	// PATH_MAX of the systems that the agent runs on.
	MaxPath = 1024
	// MaxCost is the most that a list of patterns can cost: the sum of the
	// lengths of all segments, each times the number of combinations of its
	// alternatives. Matching a path takes at most MaxCost*MaxPath steps.
	MaxCost = 16 << 10
)

// Patterns is a list of valid path patterns. Make one with ParsePatterns.
type Patterns []string

// ParsePatterns checks a list of patterns. The error names every pattern that
// is wrong, with the reason and the remedy; or the first that makes the list
// cost more than MaxCost.
func ParsePatterns(list []string) (Patterns, error) {
	var errs []error
	total := 0
	for i, p := range list {
		if total += cost(p); total > MaxCost {
			return nil, fmt.Errorf("pattern %d of %d, %.40q: the list is too costly to match from here on; write fewer and shorter patterns, with \"*\" and \"**\", and fewer \"{a,b}\" in one segment", i+1, len(list), p)
		}
		errs = append(errs, validate(p))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.Clone(list), nil
}

// cost is what one pattern adds to the cost of its list. Counting the commas
// behind each "{" gives at least the number of alternatives, nested or not.
func cost(pattern string) (total int) {
	for segment := range strings.SplitSeq(pattern, "/") {
		steps := len(segment) + 1
		for _, alternatives := range strings.Split(segment, "{")[1:] {
			steps = min(steps*(strings.Count(alternatives, ",")+1), MaxCost+1)
		}
		total = min(total+steps, MaxCost+1)
	}
	return total
}

// roots are the first segments that a path outside of the zip can have.
var roots = []string{"host", "dev", "files", "state", "command", "env", "exec", "event"}

// Roots are the names at the top of the guest's file system that are not the
// zip's: "host", "dev", "files", "state", "command", "env", "exec" and "event". A
// zip that has one of them at its own root is refused.
func Roots() []string { return slices.Clone(roots) }

// IsRoot tells whether a name is one of Roots.
func IsRoot(name string) bool { return slices.Contains(roots, name) }

func validate(p string) error {
	switch {
	case len(p) > MaxPattern:
		return fmt.Errorf("pattern %.40q...: longer than %d bytes; shorten it", p, MaxPattern)
	case !strings.HasPrefix(p, "/"):
		return fmt.Errorf("pattern %q: does not begin with \"/\"; write it as a path of the guest, such as \"/host/memory\"", p)
	case strings.ContainsAny(p, "\x00\\"):
		return fmt.Errorf("pattern %q: holds a backslash or a NUL; paths are separated by \"/\"", p)
	case !utf8.ValidString(p) || strings.ContainsRune(p, utf8.RuneError):
		return fmt.Errorf("pattern %q: holds a character that is not valid; write it in UTF-8, or \"?\" in its place", p)
	case strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("pattern %+q: holds a character that does not print; write \"?\" in its place", p)
	case path.Clean(p) != p:
		return fmt.Errorf("pattern %q: is not in its shortest form; write %q", p, path.Clean(p))
	case strings.Count(p, "{") > MaxBraces:
		return fmt.Errorf("pattern %q: more than %d \"{...}\"; write several patterns", p, MaxBraces)
	}
	segments := strings.Split(p[1:], "/")
	if !IsRoot(segments[0]) {
		return fmt.Errorf("pattern %q: names nothing that can be granted; it must begin with one of /%s", p, strings.Join(roots, ", /"))
	}
	for _, s := range segments {
		if err := validateSegment(s); err != nil {
			return fmt.Errorf("pattern %q: %w", p, err)
		}
	}
	return nil
}

func validateSegment(s string) error {
	switch {
	case s == "**":
		return nil
	case strings.Contains(s, "**"):
		return fmt.Errorf("\"**\" within %q; write \"*\" there, or \"**\" alone between two \"/\"", s)
	case !doublestar.ValidatePattern(s):
		return fmt.Errorf("%q is not a valid glob; close every \"[\" and \"{\" before the next \"/\"", s)
	}
	return nil
}

// Match tells whether one of the patterns matches the path. A path that is not
// absolute, not clean, or longer than MaxPath is matched by none.
func (p Patterns) Match(name string) bool {
	return matchable(name) && slices.ContainsFunc(p, func(pattern string) bool { return matches(pattern, name) })
}

// Grants are grants of the patterns, word for word.
func (p Patterns) Grants() Grants {
	var list Grants
	for _, pattern := range p {
		list = append(list, Grant{Pattern: pattern})
	}
	return list
}

// matchable tells whether a path is one that a pattern can match.
func matchable(name string) bool {
	return len(name) <= MaxPath && path.IsAbs(name) && path.Clean(name) == name
}

// matches tells whether a pattern matches a matchable path.
func matches(pattern, name string) bool { return match(pattern, name, doublestar.MatchUnvalidated) }

// match compares a path with a pattern, both absolute, segment by segment, of which
// fits compares one. A "**" takes no segment at first, and one more each time that
// what follows it does not fit. Only the last "**" met has to try again: whatever an
// earlier one could leave to it, it can take itself.
func match(pattern, name string, fits func(pattern, name string) bool) bool {
	var after, from string // what follows the last "**", and where that was tried last
	for name != "" {
		want, patternRest := cut(pattern)
		got, nameRest := cut(name)
		switch {
		case want == "**":
			after, from = patternRest, name
			pattern = after
		case pattern != "" && fits(want, got):
			pattern, name = patternRest, nameRest
		case from != "":
			_, from = cut(from)
			pattern, name = after, from
		default:
			return false
		}
	}
	for want := ""; pattern != ""; {
		if want, pattern = cut(pattern); want != "**" {
			return false
		}
	}
	return true
}

// cut takes the first segment off a path, of which the rest begins with "/" or is
// empty. An empty path has no segment.
func cut(path string) (segment, rest string) {
	if path == "" {
		return "", ""
	}
	end := strings.IndexByte(path[1:], '/') + 1
	if end == 0 {
		end = len(path)
	}
	return path[1:end], path[end:]
}

// covers tells whether grant certainly matches every path that request
// matches. It compares segment by segment and is conservative: a segment of the
// grant with classes or alternatives covers only its own text.
func covers(grant, request string) bool {
	return match(grant, request, coversSegment)
}

// coversSegment tells it of one segment of each. With no class or alternative
// in the way and no "?" in the grant, a request's "*" or "?" is a character that
// only a grant's "*" matches.
func coversSegment(grant, request string) bool {
	switch {
	case request == "**":
		return false
	case grant == "*" || grant == request:
		return true
	}
	return !strings.ContainsAny(grant, "?[{") && !strings.ContainsAny(request, "[{") && doublestar.MatchUnvalidated(grant, request)
}

// Access is what one module may open: what it asked for, as far as it was
// granted. The zero Access allows nothing.
type Access struct {
	Asked   Patterns // the module's permissions
	Granted Grants   // the operator's grants
}

// Allows tells whether a path may be opened: a pattern asked for and a pattern
// granted both match it. The operator's are tried first, as the module's may be
// made to be slow.
func (a Access) Allows(name string) bool { return a.Granted.Match(name) && a.Asked.Match(name) }

// Lacks says what keeps a path from being opened; empty if nothing does.
func (a Access) Lacks(name string) string {
	asked, granted := a.Asked.Match(name), a.Granted.Match(name)
	switch {
	case asked && granted:
		return ""
	case asked:
		return "the operator grants no such path"
	case granted:
		return "the module does not ask for such a path in its permissions"
	}
	return "the module does not ask for such a path in its permissions, and the operator grants none"
}

// Uncovered lists the patterns asked for that no single grant covers whole, without
// address ranges. A module that has one is restricted.
func (a Access) Uncovered() Patterns {
	var missing Patterns
	for _, asked := range a.Asked {
		if !slices.ContainsFunc(a.Granted, func(g Grant) bool { return len(g.Ranges) == 0 && covers(g.Pattern, asked) }) {
			missing = append(missing, asked)
		}
	}
	return missing
}
