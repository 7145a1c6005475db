package check_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
)

var splitRows = []struct {
	line string
	want []string
}{
	{``, nil},
	{" \t\r\n", nil},
	{`check_ok.bat "Test Test"`, []string{"check_ok.bat", "Test Test"}},
	{`CheckSystem.add "\\PhysicalDisk(0 C:)\\% Disk Time"`, []string{"CheckSystem.add", `\PhysicalDisk(0 C:)\% Disk Time`}},
	{`CheckSystem.add "\PhysicalDisk(0 C:)\% Disk Time"`, []string{"CheckSystem.add", `\PhysicalDisk(0 C:)\% Disk Time`}},
	{"  a\tb \r\n c ", []string{"a", "b", "c"}},
	{`a "" b`, []string{"a", "", "b"}},
	{`""`, []string{""}},
	{`"" ""`, []string{"", ""}},
	{`a"b c"d`, []string{"ab cd"}},
	{`"a""b"`, []string{"ab"}},
	{`a\"b`, []string{`a"b`}},
	{`"a\"b"`, []string{`a"b`}},
	{`"a\\"`, []string{`a\`}},
	{`C:\dir\file \n \ x\`, []string{`C:\dir\file`, `\n`, `\`, `x\`}},
	{`\\server\share`, []string{`\server\share`}},
	{`\\\\server\share`, []string{`\\server\share`}},
	{`\\\`, []string{`\\`}},
	{`warn='load > 80'`, []string{"warn='load", ">", "80'"}},
	{`$ARG1$ "$ARGS$" ; | & > x`, []string{"$ARG1$", "$ARGS$", ";", "|", "&", ">", "x"}},
	{"größe\u00a0x \xff", []string{"größe\u00a0x", "\xff"}},
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, row := range splitRows {
		words, err := check.Split(row.line)
		if err != nil || !slices.Equal(words, row.want) {
			t.Errorf("%q: %q, %v; want %q", row.line, words, err, row.want)
		}
	}
}

// badLines are command lines and what the error says of them.
var badLines = []struct{ line, says string }{
	{`"`, "the quote at column 1 is not closed"},
	{`a "b c`, "command line `a \"b c`: the quote at column 3 is not closed"},
	{`ä "b" x"y z`, "column 8"},
	{`a "C:\dir\" b`, "column 3"},
	{"a \"\n", `command line "a \"\n": the quote at column 3`},
	{"  a\" ", "column 4"},
	{strings.Repeat("x ", 1000) + `"`, "column 2001"},
	{strings.Repeat("x", check.MaxCommandLine+1), "command line of 65537 bytes: longer than 65536"},
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range badLines {
		words, err := check.Split(row.line)
		if err == nil {
			t.Errorf("%.40q: %q, want an error", row.line, words)
		} else if !strings.Contains(err.Error(), row.says) || len(err.Error()) > 400 {
			t.Errorf("%.40q: %q does not say %q within 400 bytes", row.line, err, row.says)
		}
	}
	if _, err := check.Split(strings.Repeat("x", check.MaxCommandLine)); err != nil {
		t.Errorf("the longest line: %v", err)
	}
}

var joinRows = []struct {
	words []string
	want  string
}{
	{nil, ``},
	{[]string{"check_ok", "a"}, `check_ok a`},
	{[]string{""}, `""`},
	{[]string{"a b", `c"d`}, `"a b" "c\"d"`},
	{[]string{`C:\Program Files\`, `C:\dir\`}, `"C:\\Program Files\\" C:\dir\`},
	{[]string{`\\server\share`}, `"\\\\server\\share"`},
	{[]string{"a\nb"}, "\"a\nb\""},
}

func TestJoin(t *testing.T) {
	t.Parallel()
	for _, row := range joinRows {
		if got := check.Join(row.words); got != row.want {
			t.Errorf("%q: %s, want %s", row.words, got, row.want)
		}
	}
}

// FuzzSplit splits any line, and joins any words: the parts of the line between
// its "x".
func FuzzSplit(f *testing.F) {
	for _, row := range splitRows {
		f.Add(row.line)
	}
	for _, row := range badLines {
		f.Add(row.line)
	}
	for _, row := range joinRows {
		f.Add(strings.Join(row.words, "x"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		if words, err := check.Split(line); err == nil {
			joins(t, words)
		}
		joins(t, strings.Split(line, "x"))
	})
}

func joins(t *testing.T, words []string) {
	t.Helper()
	line := check.Join(words)
	if len(line) > check.MaxCommandLine {
		return
	}
	if again, err := check.Split(line); err != nil || !slices.Equal(again, words) {
		t.Errorf("%q is joined as %q and split as %q, %v", words, line, again, err)
	}
}
