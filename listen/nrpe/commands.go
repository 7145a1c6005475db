package nrpe

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Commands are patterns of the commands that may be asked for. "*" is any
// characters, "?" one, "[a-z]" one of a class, and "\" takes a meaning away. Case does
// not matter.
type Commands []string

// ParseCommands reads patterns. Its error names all that are none.
func ParseCommands(patterns []string) (Commands, error) {
	var mistakes []error
	var list Commands
	for _, p := range patterns {
		p = strings.ToLower(p)
		if _, err := path.Match(p, ""); err != nil || p == "" {
			mistakes = append(mistakes, fmt.Errorf("commands: %q is no pattern; close every \"[\", and write \"*\" for all commands", p))
		}
		list = append(list, p)
	}
	if mistakes != nil {
		return nil, errors.Join(mistakes...)
	}
	return list, nil
}

// Allow tells whether a pattern matches the name.
func (c Commands) Allow(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(c, func(pattern string) bool {
		matched, _ := path.Match(pattern, name)
		return matched
	})
}
