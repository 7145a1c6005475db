package providers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxWords is the most words of an expanded command line, and maxExpanded the
// most bytes of all of them together.
const (
	maxWords    = 4096
	maxExpanded = 128 << 10
)

// argsMacro stands for all of the caller's arguments.
const argsMacro = "$ARGS$"

// Expand fills the caller's arguments into a command line: $ARG1$, $ARG2$ and so
// on are one argument each, wherever in a word they stand. $ARGS$ is all of
// them: one word each where it is a word of its own, joined with blanks inside
// of a word. A macro that nobody filled is the empty string. Without any macro
// the arguments are appended. The first word, the script's name, stays as it
// is, and what a macro stands for is not expanded again.
//
// The result is a new slice of at most maxWords words and maxExpanded bytes;
// anything larger is an error.
func Expand(command, args []string) ([]string, error) {
	e := expansion{args: args}
	for i, word := range command {
		switch {
		case e.tooLarge():
		case i == 0:
			e.add(word)
		case word == argsMacro:
			e.macros = true
			e.add(args...)
		default:
			e.add(e.fill(word))
		}
	}
	if !e.macros {
		e.add(args...)
	}
	if e.tooLarge() {
		return nil, fmt.Errorf("command line of %s: larger than %d words or %d bytes with the arguments filled in; pass fewer or shorter ones", command[0], maxWords, maxExpanded)
	}
	return e.words, nil
}

// An expansion is a command line in the making.
type expansion struct {
	args   []string
	words  []string
	size   int  // bytes so far
	macros bool // a macro was seen
}

func (e *expansion) tooLarge() bool { return e.size > maxExpanded || len(e.words) > maxWords }

func (e *expansion) add(words ...string) {
	if e.tooLarge() {
		return
	}
	e.words = append(e.words, words...)
	for _, word := range words {
		e.size += len(word)
	}
}

// fill replaces the macros in one word.
func (e *expansion) fill(word string) string {
	var b strings.Builder
	for b.Len() <= maxExpanded {
		before, macro, after, found := cutMacro(word)
		b.WriteString(before)
		if !found {
			break
		}
		e.macros = true
		b.WriteString(e.value(macro))
		word = after
	}
	return b.String()
}

// value is what a macro stands for.
func (e *expansion) value(macro string) string {
	if macro == argsMacro {
		return strings.Join(e.args, " ")
	}
	n, err := strconv.Atoi(macro[len("$ARG") : len(macro)-1])
	if err != nil || n > len(e.args) {
		return ""
	}
	return e.args[n-1]
}

// cutMacro cuts a word around its first macro.
func cutMacro(word string) (before, macro, after string, found bool) {
	for from := 0; ; {
		start := strings.Index(word[from:], "$ARG")
		if start < 0 {
			return word, "", "", false
		}
		start += from
		if n := macroLen(word[start:]); n > 0 {
			return word[:start], word[start : start+n], word[start+n:], true
		}
		from = start + 1
	}
}

// macroLen is the length of the macro that the text begins with; 0 if it begins
// with "$ARG" and something else.
func macroLen(text string) int {
	if strings.HasPrefix(text, argsMacro) {
		return len(argsMacro)
	}
	rest := text[len("$ARG"):]
	digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 1 || rest[digits] != '$' || rest[0] == '0' {
		return 0
	}
	return len("$ARG") + digits + 1
}

// hasNUL tells whether an argument cannot be part of an argv.
func hasNUL(argv []string) bool {
	return slices.ContainsFunc(argv, func(arg string) bool { return strings.IndexByte(arg, 0) >= 0 })
}
