// Package policy says what a module may touch: which paths of the guest's file
// system, and how much of everything.
//
// Everything that a script can reach is a path, so a permission (what a module
// asks for) and a grant (what the operator allows) are both globs over paths.
// One rule holds: an open is allowed when a pattern that the module asked for
// and a pattern that the operator granted both match its path. A grant wider
// than the request widens nothing, and a grant narrower than the request
// narrows it.
//
// Patterns are those of https://github.com/bmatcuk/doublestar: "*" matches
// within one segment, "**" any number of segments, "?" one character, "[...]"
// a class and "{a,b}" alternatives. They match case-sensitively.
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

	"github.com/bmatcuk/doublestar/v4"
)

// MaxPattern is the longest pattern in bytes, and MaxPatterns the most of them
// in one list: matching costs grow with both.
const (
	MaxPattern  = 1024
	MaxPatterns = 1000
	// MaxBraces is the most "{a,b}" in one pattern: matching tries every
	// combination of their alternatives.
	MaxBraces = 2
)

// Patterns is a list of valid path patterns. Make one with ParsePatterns.
type Patterns []string

// ParsePatterns checks a list of patterns. The error names every pattern that
// is wrong, with the reason and the remedy.
func ParsePatterns(list []string) (Patterns, error) {
	var errs []error
	if len(list) > MaxPatterns {
		return nil, fmt.Errorf("%d patterns: at most %d are allowed; use \"*\" and \"**\"", len(list), MaxPatterns)
	}
	for _, p := range list {
		if err := validate(p); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return slices.Clone(list), nil
}

// roots are the first segments that a path outside of the zip can have.
var roots = []string{"host", "dev", "files", "state", "command", "env", "exec"}

// Roots are the names at the top of the guest's file system that are not the
// zip's: "host", "dev", "files", "state", "command", "env" and "exec". A zip
// that has one of them at its own root is refused.
func Roots() []string { return slices.Clone(roots) }

func validate(p string) error {
	switch {
	case len(p) > MaxPattern:
		return fmt.Errorf("pattern %.40q...: longer than %d bytes; shorten it", p, MaxPattern)
	case !strings.HasPrefix(p, "/"):
		return fmt.Errorf("pattern %q: does not begin with \"/\"; write it as a path of the guest, such as \"/host/memory\"", p)
	case strings.ContainsAny(p, "\x00\\"):
		return fmt.Errorf("pattern %q: holds a backslash or a NUL; paths are separated by \"/\"", p)
	case path.Clean(p) != p:
		return fmt.Errorf("pattern %q: is not in its shortest form; write %q", p, path.Clean(p))
	case strings.Count(p, "{") > MaxBraces:
		return fmt.Errorf("pattern %q: more than %d \"{...}\"; write several patterns", p, MaxBraces)
	case !doublestar.ValidatePattern(p):
		return fmt.Errorf("pattern %q: is not a valid glob; close every \"[\" and \"{\"", p)
	}
	first, _, _ := strings.Cut(p[1:], "/")
	if !slices.Contains(roots, first) {
		return fmt.Errorf("pattern %q: names nothing that can be granted; it must begin with one of /%s", p, strings.Join(roots, ", /"))
	}
	return nil
}

// Match tells whether one of the patterns matches the path, which must be
// absolute and clean.
func (p Patterns) Match(name string) bool {
	return slices.ContainsFunc(p, func(pattern string) bool { return doublestar.MatchUnvalidated(pattern, name) })
}

// covers tells whether grant certainly matches every path that request
// matches. It compares segment by segment and is conservative: a grant with
// classes or alternatives covers only its own text.
func covers(grant, request string) bool {
	return grant == request || coversSegments(strings.Split(grant, "/"), strings.Split(request, "/"))
}

func coversSegments(grant, request []string) bool {
	switch {
	case len(grant) == 0:
		return len(request) == 0
	case grant[0] == "**":
		return coversSegments(grant[1:], request) || len(request) > 0 && coversSegments(grant, request[1:])
	case len(request) == 0 || request[0] == "**":
		return false
	}
	return coversSegment(grant[0], request[0]) && coversSegments(grant[1:], request[1:])
}

// coversSegment tells it of one segment of each. With no class, alternative or
// "?" in the way, a request's "*" is a character that only a grant's "*"
// matches.
func coversSegment(grant, request string) bool {
	if grant == request {
		return true
	}
	return !strings.ContainsAny(grant+request, "?[{") && doublestar.MatchUnvalidated(grant, request)
}

// Access is what one module may open: what it asked for, as far as it was
// granted. The zero Access allows nothing.
type Access struct {
	Asked   Patterns // the module's permissions
	Granted Patterns // the operator's grants
}

// Allows tells whether a path may be opened: a pattern asked for and a pattern
// granted both match it.
func (a Access) Allows(name string) bool { return a.Asked.Match(name) && a.Granted.Match(name) }

// Uncovered lists the patterns asked for that no single grant covers whole. A
// module that has one is restricted.
func (a Access) Uncovered() []string {
	var missing []string
	for _, asked := range a.Asked {
		if !slices.ContainsFunc(a.Granted, func(grant string) bool { return covers(grant, asked) }) {
			missing = append(missing, asked)
		}
	}
	return missing
}
