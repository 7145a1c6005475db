package migrate

import (
	"strconv"
	"strings"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
)

// macro matches the caller's arguments in a command line of NRPE, and in one of
// NSClient++, and "$$", which NRPE has for "$".
var (
	nrpeMacro = lazyregexp.New(`^\$(?:ARG([0-9]{1,2}))?\$`)
	nscpMacro = lazyregexp.New(`[$%]ARG(S|[0-9]{1,2})"?[$%]`)
)

// macros writes those of NSClient++ as this agent has them: $ARG1$ for %ARG1%, and
// $ARGS$ for $ARGS"$, which puts each argument in quotes.
func macros(line string) string { return nscpMacro().ReplaceAllString(line, "$$ARG$1$$") }

// shellBody is a command line of NRPE, which a shell runs, as the body of a shell
// script. Arguments come as the script's own, and are split at blanks where the
// line has them without quotes, as NRPE has it; but nothing in them is the shell's
// language any more.
func shellBody(line string) string {
	var b strings.Builder
	if strings.HasPrefix(line, "/") && !strings.ContainsAny(line, ";|&<>()`\n") {
		b.WriteString("exec ")
	}
	var quote byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		macro := nrpeMacro().FindStringSubmatch(line[i:])
		switch {
		case macro != nil && macro[1] == "":
			b.WriteByte('$')
		case macro != nil:
			b.WriteString(positional(macro[1], quote))
		case c == '\\' && quote != '\'' && i+1 < len(line):
			i++
			b.WriteString(line[i-1 : i+1])
		default:
			quote = quoted(quote, c)
			b.WriteByte(c)
		}
		if macro != nil {
			i += len(macro[0]) - 1
		}
	}
	return "set -f # arguments are no patterns\n" + b.String() + "\n"
}

// quoted is the quote that is open behind a character.
func quoted(open, c byte) byte {
	switch {
	case c != '\'' && c != '"' || open != 0 && open != c:
		return open
	case open == c:
		return 0
	}
	return c
}

// positional is an argument of a shell script, within a quote.
func positional(number string, quote byte) string {
	n, _ := strconv.Atoi(number)
	text := "${" + strconv.Itoa(n) + "}"
	switch {
	case n == 0:
		return "" // NRPE has no $ARG0$
	case quote == '\'':
		return `'"` + text + `"'`
	}
	return text
}

// execWords is a command line of NSClient++, which no shell sees, as the body of a
// shell script.
func execWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = shellWord(word)
	}
	return "exec " + strings.Join(quoted, " ") + "\n"
}

// shellWord is a word of such a line, in which macros are the script's arguments.
func shellWord(word string) string {
	if m := nscpMacro().FindStringSubmatch(word); m != nil && m[0] == word && m[1] == "S" {
		return `"$@"`
	}
	var b strings.Builder
	for {
		at := nscpMacro().FindStringSubmatchIndex(word)
		if at == nil {
			return b.String() + literal(word, b.Len() == 0)
		}
		b.WriteString(literal(word[:at[0]], false))
		if name := word[at[2]:at[3]]; name == "S" {
			b.WriteString(`"$*"`)
		} else {
			b.WriteString(`"` + positional(name, 0) + `"`)
		}
		word = word[at[1]:]
	}
}

// literal is a text that the shell takes as it is.
func literal(text string, alone bool) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.,/:=@%"
	if text == "" && !alone || text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
