package builtin_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/check"
)

// Each row is a command line, how many options it sets (three have defaults) and
// the words that are left; or an error.
var argumentRows = []struct {
	line    string
	options int
	words   []string
	err     string
}{
	{line: "", options: 3},
	{line: "warn=10 crit=20", options: 3},
	{line: "--warn 10 --crit 20", options: 3},
	{line: "--warn=10 --crit=20 --name=a -n b name=c", options: 4},
	{line: "WARN=10 --Critical 20", options: 3},
	{line: "-w -5:", options: 3},
	{line: "name=a=b", options: 4},
	{line: `command="a b=c \"d e\""`, options: 4},
	{line: "state=warn", options: 4},
	{line: `counter=\Fysisk disk(0 C:)\Disktid`, err: `counter "\\Fysisk": it has no counter`},
	{line: `"counter=\\Fysisk disk(0 C:)\Disktid"`, options: 4},
	{line: "warn=1 all is well", options: 3, words: []string{"all", "is", "well"}},
	{line: "check_cpu warn=1 --crit 2", options: 3, words: []string{"check_cpu", "warn=1", "--crit", "2"}},
	{line: "-- --crit", options: 3, words: []string{"--crit"}},
	{line: `\Foo(a=b)\c`, options: 3, words: []string{`\Foo(a=b)\c`}},
	{line: "---warn=1", options: 3, words: []string{"---warn=1"}},
	{line: "help me", options: 3, words: []string{"help", "me"}},
	{line: "help", options: 0},
	{line: "warn=1 --help", options: 1},
	{line: "-h", options: 0},
	{line: "name=", err: "write a name"},
	{line: "state=bad", err: `"bad" is no state: write ok, warning, critical or unknown`},
	{line: "command=", err: "no command: write the name of one"},
	{line: `command="a \"b"`, err: "is not closed"},
	{line: "--name", err: `option "--name" has no value`},
	{line: "wanr=1 stat=ok", err: `unknown option "wanr" (did you mean "warn"?); unknown option "stat" (did you mean "state"?)`},
	{line: "state=ok state=ok", err: `option "state" is given twice`},
	{line: strings.Repeat("name=a ", 257), err: "257 arguments are more than 256"},
	{line: "name=" + strings.Repeat("a", 257), err: "write a name of 1 to 256"},
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, row := range argumentRows {
		args, err := check.Split(row.line)
		if err != nil {
			args = strings.Fields(row.line)
		}
		options, words, err := builtin.ParseArguments(args)
		switch {
		case row.err != "":
			if err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("%.80q: error %v, want %q", row.line, err, row.err)
			}
		case err != nil || options != row.options || !slices.Equal(words, row.words):
			t.Errorf("%.80q: %d options, words %q, error %v; want %d, %q", row.line, options, words, err, row.options, row.words)
		}
	}
}

func FuzzArguments(f *testing.F) {
	for _, row := range argumentRows {
		f.Add(row.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		options, words, err := builtin.ParseArguments(args)
		if err != nil {
			if err.Error() == "" || options != 0 || words != nil {
				t.Errorf("%q: error %q beside %d options and words %q", line, err, options, words)
			}
			return
		}
		if !slices.Equal(words, args[len(args)-len(words):]) {
			t.Errorf("%q: the words %q are not its end", line, words)
		}
	})
}

var inf = math.Inf(1)

// Each row is a threshold over bytes, of a whole of 1000.
var thresholdRows = []struct {
	text string
	want *check.Range
	err  string
}{
	{text: "10", want: &check.Range{End: 10}},
	{text: "10KB", want: &check.Range{End: 10240}},
	{text: "1.5 GiB", want: &check.Range{End: 1.5 * gib}},
	{text: "80%", want: &check.Range{End: 800}},
	{text: "20%:", want: &check.Range{Start: 200, End: inf}},
	{text: "~:20%", want: &check.Range{Start: -inf, End: 200}},
	{text: "@10%:20%", want: &check.Range{Start: 100, End: 200, Inside: true}},
	{text: "0:80%", want: &check.Range{End: 800}},
	{text: "1k:1M", want: &check.Range{Start: kib, End: mib}},
	{text: "-5:5", want: &check.Range{Start: -5, End: 5}},
	{text: "1e3", want: &check.Range{End: 1000}},
	{text: " 5 ", want: &check.Range{End: 5}},
	{text: "none"},
	{text: "NONE"},
	{text: ""},
	{text: "10:20%", err: "unit of the same kind"},
	{text: "10:20kb", err: "unit of the same kind"},
	{text: "20:10", err: "above its end"},
	{text: "@", err: "no bound"},
	{text: "10:20:30", err: `"20:30" is no number`},
	{text: "ten", err: `"ten" is no number`},
	{text: "10 apples", err: `unit "apples" is none of b, k,`},
	{text: "1e999", err: "too large"},
	{text: "used > 80%", err: "write the range 80%"},
	{text: "used gt 5", err: "write the range 5"},
	{text: "used < 10g", err: "write the range 10g:"},
	{text: "free<10%", err: "write the range 90%"},
	{text: "free > 10%", err: "write the range 90%:"},
	{text: "count != 3", err: "write the range 3:3"},
	{text: "> 80", err: "write the range 80"},
	{text: "name like 'x'", err: "write a range, such as 80"},
}

const kib = 1 << 10

func TestThreshold(t *testing.T) {
	t.Parallel()
	for _, row := range thresholdRows {
		got, err := builtin.ParseThreshold(row.text, 1000)
		switch {
		case row.err != "":
			if err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("%q: %v, error %v; want %q", row.text, got, err, row.err)
			}
		case err != nil || (got == nil) != (row.want == nil) || got != nil && *got != *row.want:
			t.Errorf("%q: %v, error %v; want %v", row.text, got, err, row.want)
		}
	}
	if got, err := builtin.ParseThreshold("80%", 0); got != nil || err != nil {
		t.Errorf("a share of nothing: %v, %v", got, err)
	}
}

func FuzzThreshold(f *testing.F) {
	for _, row := range thresholdRows {
		f.Add(row.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := builtin.ParseThreshold(s, 1000)
		if err == nil && r != nil && !(r.Start <= r.End) {
			t.Errorf("%q: %v", s, *r)
		}
		if err != nil && err.Error() == "" {
			t.Errorf("%q: an error without words", s)
		}
	})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		pattern, name string
		want          bool
	}{
		{"sshd", "sshd", true}, {"SSHD", "sshd", true}, {"ssh", "sshd", false}, {"*", "", true}, {"*", "x/y", true},
		{"s*d", "sshd", true}, {"s*d", "sd", true}, {"s*d", "sdx", false}, {"?shd", "sshd", true}, {"?", "", false},
		{"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxaxx", false}, {"a**", "a", true}, {"ä*", "Äpfel", true},
		{strings.Repeat("*a", 100), strings.Repeat("a", 5000) + "b", false},
	} {
		if builtin.Match(row.pattern, row.name) != row.want {
			t.Errorf("%.20q for %.20q: not %t", row.pattern, row.name, row.want)
		}
	}
}

func TestQuantities(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{0.25: "250ms", 1: "1s", 59.6: "1m", 61: "1m 1s", 3600: "1h", 90061: "1d 1h", 86460: "1d 1m"} {
		if got := builtin.HumanTime(seconds); got != want {
			t.Errorf("%g seconds: %q, want %q", seconds, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536 * gib: "1.5 TiB", 1 << 63: "8192.0 PiB"} {
		if got := builtin.HumanBytes(n); got != want {
			t.Errorf("%g bytes: %q, want %q", n, got, want)
		}
	}
}
