package access

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

const (
	// maxPattern is the longest grant or pattern of commands in bytes.
	maxPattern = 1024
	// maxPath is the longest path in bytes that a grant matches.
	maxPath = 4096
)

// A Role is a set of grants with a name.
type Role struct {
	Name string
	// Allow are the requests, each written as "VERB /path". The verb is one or
	// several with commas between them, or "*" for all. The path is a doublestar
	// pattern: "*" is any part of a segment, and "**" is any number of segments.
	Allow []string
	// Commands are those that the role lets run.
	Commands Commands
}

// Roles are those that there are without defining them, after NSClient++'s:
// "full" may do everything; "client" may list and run commands and see what is
// loaded; "monitoring" may run commands and read metrics. Both may list scheduled
// checks and run them.
func Roles() []Role {
	public := []string{"GET /api", "GET /api/*", "GET,POST,DELETE /api/*/login", "GET,POST /auth/token",
		"GET /query/*", "GET /api/*/aliases", "GET,POST /api/*/queries/*/commands/{execute,execute_nagios}",
		"GET /api/*/schedule", "GET /api/*/schedule/*", "POST /api/*/schedule/*/commands/run"}
	return []Role{
		{Name: "full", Allow: []string{"* /**"}, Commands: Commands{"*"}},
		{Name: "client", Allow: append(slices.Clip(public), "GET /api/*/info", "GET /api/*/info/version",
			"GET /api/*/queries", "GET /api/*/queries/*", "GET /api/*/modules"), Commands: Commands{"*"}},
		{Name: "monitoring", Allow: append(slices.Clip(public), "GET /api/*/metrics", "GET /api/*/openmetrics",
			"GET /metrics", "GET /probe"), Commands: Commands{"*"}},
	}
}

// allows is Identity.Allows for one role.
func (r Role) allows(verb, name string) bool {
	if len(name) > 1 {
		name = strings.TrimSuffix(name, "/")
	}
	if len(name) > maxPath || !path.IsAbs(name) || path.Clean(name) != name {
		return false
	}
	return slices.ContainsFunc(r.Allow, func(grant string) bool { return grantMatches(grant, verb, name) })
}

func grantMatches(grant, verb, name string) bool {
	verbs, pattern, _ := strings.Cut(grant, " ")
	if verb == "HEAD" {
		verb = "GET"
	}
	granted := verbs == "*" || slices.Contains(strings.Split(verbs, ","), verb)
	return granted && doublestar.MatchUnvalidated(pattern, name)
}

// check says everything that is wrong with a role.
func (r Role) check() error {
	var errs []error
	for _, grant := range r.Allow {
		errs = append(errs, checkGrant(grant))
	}
	return errors.Join(append(errs, r.Commands.Check())...)
}

// checkGrant says what is wrong with a "VERB /path".
func checkGrant(grant string) error {
	verbs, pattern, two := strings.Cut(grant, " ")
	switch {
	case len(grant) > maxPattern:
		return fmt.Errorf("grant %.40q: longer than %d bytes; shorten it", grant, maxPattern)
	case !two:
		return fmt.Errorf("grant %q: want a verb and a path, such as \"GET /api/*/queries/**\"", grant)
	case !strings.HasPrefix(pattern, "/") || path.Clean(pattern) != pattern:
		return fmt.Errorf("grant %q: write the path from \"/\" on and in its shortest form, such as %q", grant, path.Clean("/"+strings.TrimSpace(pattern)))
	case strings.Count(pattern, "**") > 2 || strings.Count(pattern, "{") > 2:
		return fmt.Errorf("grant %q: more than two \"**\" or \"{...}\"; write several grants", grant)
	case !doublestar.ValidatePattern(pattern):
		return fmt.Errorf("grant %q: is not a valid pattern; close every \"[\" and \"{\"", grant)
	}
	return checkVerbs(grant, verbs)
}

// verbs are those that the listeners know.
const verbs = "GET POST PUT PATCH DELETE OPTIONS"

func checkVerbs(grant, list string) error {
	for verb := range strings.SplitSeq(list, ",") {
		if list != "*" && (verb == "" || !slices.Contains(strings.Fields(verbs), verb)) {
			return fmt.Errorf("grant %q: unknown verb %q; want \"*\", or some of %s with commas between them", grant, verb, strings.ReplaceAll(verbs, " ", ", "))
		}
	}
	return nil
}
