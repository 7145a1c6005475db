package check

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxCommandLine is the longest command line that Split reads, in bytes.
const MaxCommandLine = 64 << 10

// blanks separate the words of a command line.
const blanks = " \t\r\n"

// Split cuts a command line into its words. Blanks (space, tab, line ends)
// separate; double quotes group and may open within a word, so "" is an empty
// word; \\ and \" stand for a backslash and a quote, within quotes and without.
// Any other backslash is itself, so that most Windows paths need no care:
// "C:\Program Files\x" is one word.
//
// A quote that is not closed is an error that shows the line and the column at
// which it opened, counted in characters from 1. So is a line longer than
// MaxCommandLine.
func Split(line string) ([]string, error) {
	if len(line) > MaxCommandLine {
		return nil, fmt.Errorf("command line of %d bytes: longer than %d; shorten it", len(line), MaxCommandLine)
	}
	var words []string
	for rest := strings.TrimLeft(line, blanks); rest != ""; rest = strings.TrimLeft(rest, blanks) {
		word, length, open := cutWord(rest)
		if open >= 0 {
			column := utf8.RuneCountInString(line[:len(line)-len(rest)+open]) + 1
			return nil, fmt.Errorf("command line %#.200q: the quote at column %d is not closed; close it, or write \\\" for a quote and \\\\ for a backslash before one", line, column)
		}
		words = append(words, word)
		rest = rest[length:]
	}
	return words, nil
}

// cutWord reads the word that s begins with, and tells how much of s it took.
// open is where a quote opened that is not closed, -1 if there is none.
func cutWord(s string) (word string, length, open int) {
	var b strings.Builder
	open = -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == '"'):
			i++
			b.WriteByte(s[i])
		case c == '"' && open < 0:
			open = i
		case c == '"':
			open = -1
		case open < 0 && strings.IndexByte(blanks, c) >= 0:
			return b.String(), i, open
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), len(s), open
}

// Join writes words as a command line that Split cuts into the same words. A
// word is put in quotes only where it needs them.
func Join(words []string) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if word == "" || strings.ContainsAny(word, blanks+`"`) || strings.Contains(word, `\\`) {
			word = `"` + escaper.Replace(word) + `"`
		}
		b.WriteString(word)
	}
	return b.String()
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
