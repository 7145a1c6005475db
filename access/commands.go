package access

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Commands are patterns of the names of commands: "*" is any characters, "?" is
// one, "[a-z]" is one of a class, and "\" takes a meaning away. Case does not
// matter. Without a pattern they are no commands.
type Commands []string

// Allow tells whether a pattern matches a name.
func (c Commands) Allow(name string) bool {
	name = flat(name)
	return slices.ContainsFunc(c, func(pattern string) bool {
		matched, _ := path.Match(flat(pattern), name)
		return matched
	})
}

// Check names the patterns that are none.
func (c Commands) Check() error {
	var errs []error
	for _, pattern := range c {
		if _, err := path.Match(flat(pattern), ""); err != nil || pattern == "" || len(pattern) > maxPattern {
			errs = append(errs, fmt.Errorf("%.40q is no pattern of commands; write 1 to %d bytes, \"*\" for all commands, and close every \"[\"", pattern, maxPattern))
		}
	}
	return errors.Join(errs...)
}

// flat is a text without case, and without the "/" that has a meaning of its own
// in path.Match.
func flat(text string) string { return strings.ReplaceAll(strings.ToLower(text), "/", "\x00") }
