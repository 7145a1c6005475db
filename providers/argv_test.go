package providers_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/providers"
)

var expansions = []struct {
	name          string
	command, args string // words separated by "|"
	want          string
}{
	{"no macro appends", "x.sh|-w|5", "a|b c", "x.sh|-w|5|a|b c"},
	{"no macro, no argument", "x.sh|Test Test", "", "x.sh|Test Test"},
	{"one each", "x.sh|$ARG2$|$ARG1$", "a|b", "x.sh|b|a"},
	{"inside of a word", "x.sh|--warn=$ARG1$:$ARG2$%", "10|20", "x.sh|--warn=10:20%"},
	{"twice", "x.sh|$ARG1$$ARG1$", "ab", "x.sh|abab"},
	{"too many arguments are dropped", "x.sh|$ARG1$", "a|b|c", "x.sh|a"},
	{"unfilled is empty", "x.sh|$ARG1$|-$ARG2$-", "a", "x.sh|a|--"},
	{"ARGS alone splices", "x.sh|-v|$ARGS$|-x", "a|b c", "x.sh|-v|a|b c|-x"},
	{"ARGS alone without arguments is nothing", "x.sh|$ARGS$|-x", "", "x.sh|-x"},
	{"ARGS inside of a word joins", "x.sh|<$ARGS$>", "a|b c", "x.sh|<a b c>"},
	{"ARGS twice", "x.sh|$ARGS$$ARGS$", "a|b", "x.sh|a ba b"},
	{"what is filled in is not expanded again", "x.sh|$ARG1$|$ARGS$", "$ARG2$|$ARGS$", "x.sh|$ARG2$|$ARG2$|$ARGS$"},
	{"halves do not meet", "x.sh|$ARG$ARG1$", "1$|z", "x.sh|$ARG1$"},
	{"the first word stays", "$ARG1$|x", "a", "$ARG1$|x|a"},
	{"not macros", "x.sh|$ARG0$|$ARG01$|$ARG$|$ARG-1$|$arg1$|ARG1$|$ARG1", "a", "x.sh|$ARG0$|$ARG01$|$ARG$|$ARG-1$|$arg1$|ARG1$|$ARG1|a"},
	{"a number beyond all", "x.sh|<$ARG99999999999999999999$>", "a", "x.sh|<>"},
	{"tens", "x.sh|$ARG10$", "a|b|c|d|e|f|g|h|i|j", "x.sh|j"},
	{"nothing a shell would see", "x.sh|$ARG1$", "`id`;$(id) && x > y", "x.sh|`id`;$(id) && x > y"},
}

func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

func TestExpand(t *testing.T) {
	t.Parallel()
	for _, row := range expansions {
		got, err := providers.Expand(words(row.command), words(row.args))
		if err != nil || !slices.Equal(got, words(row.want)) {
			t.Errorf("%s: Expand(%q, %q) = %q, %v; want %q", row.name, row.command, row.args, got, err, words(row.want))
		}
	}
}

func TestExpandIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", providers.MaxExpanded/2)
	for name, row := range map[string]struct{ command, args []string }{
		"joined often":  {[]string{"x", strings.Repeat("$ARGS$", 1000)}, []string{long}},
		"spliced often": {slices.Repeat([]string{"$ARGS$"}, 1000), []string{long}},
		"many words":    {slices.Repeat([]string{"$ARGS$"}, 100), make([]string, 100)},
		"appended":      {[]string{"x"}, []string{long, long, long}},
	} {
		if got, err := providers.Expand(row.command, row.args); err == nil {
			t.Errorf("%s: got %d words, want an error", name, len(got))
		}
	}
}

var macro = regexp.MustCompile(`\$ARG(S|[1-9][0-9]*)\$`)

// expandSimply is Expand in the fewest words, without its limits.
func expandSimply(command, args []string) []string {
	found := false
	out := command[:1:1]
	for _, word := range command[1:] {
		found = found || macro.MatchString(word)
		if word == "$ARGS$" {
			out = append(out, args...)
			continue
		}
		out = append(out, macro.ReplaceAllStringFunc(word, func(m string) string {
			if m == "$ARGS$" {
				return strings.Join(args, " ")
			}
			if n, err := strconv.Atoi(m[4 : len(m)-1]); err == nil && n <= len(args) {
				return args[n-1]
			}
			return ""
		}))
	}
	if !found {
		out = append(out, args...)
	}
	return out
}

func FuzzExpand(f *testing.F) {
	for _, row := range expansions {
		f.Add(row.command, row.args)
	}
	f.Fuzz(func(t *testing.T, command, args string) {
		c, a := words("x|"+command), words(args)
		got, err := providers.Expand(c, a)
		want := expandSimply(c, a)
		if err != nil {
			if size := len(strings.Join(want, "")); size <= providers.MaxExpanded && len(want) <= providers.MaxWords {
				t.Fatalf("Expand(%q, %q): %v, of %d bytes in %d words", c, a, err, size, len(want))
			}
			return
		}
		if !slices.Equal(got, want) {
			t.Fatalf("Expand(%q, %q) = %q; want %q", c, a, got, want)
		}
	})
}
