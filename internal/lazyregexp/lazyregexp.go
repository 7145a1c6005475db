// Package lazyregexp compiles regular expressions when they are first used: those of
// all packages together would take longer than the rest of a program's start, and
// the agent starts itself for every native script.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that compiles an expression once, and always returns the same. It
// is safe for concurrent use. An expression that is wrong panics when it is first used.
func New(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
