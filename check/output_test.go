package check_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/check"
)

// decodeRows are plugin outputs and what they mean; perf is written as
// Perf.String writes it, items separated by one blank.
var decodeRows = []struct {
	name   string
	output string
	status int64
	state  check.State
	text   string
	long   string
	perf   string
}{
	// The guidelines' own forms.
	{"text alone", "OK - fine\n", 0, check.StateOK, "OK - fine", "", ""},
	{"performance data", "DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n", 0, check.StateOK,
		"DISK OK - free space: / 3326 MB (56%);", "", "/=2643MB;5948;5958;0;5968"},
	{"several lines", "DISK OK | /=2643MB;5948;5958;0;5968\n/ 15272 MB (77%);\n/boot 68 MB (69%); | /boot=68MB;88;93;0;98\n/home=69357MB;253404;253409;0;253414\n/var/log=818MB;970;975;0;980\n", 1, check.StateWarning,
		"DISK OK", "/ 15272 MB (77%);\n/boot 68 MB (69%);",
		"/=2643MB;5948;5958;0;5968 /boot=68MB;88;93;0;98 /home=69357MB;253404;253409;0;253414 /var/log=818MB;970;975;0;980"},
	{"long text alone", "A\nB\n\n  C\n", 2, check.StateCritical, "A", "B\n\n  C", ""},
	{"performance data alone", "|a=1", 0, check.StateOK, "", "", "a=1"},
	{"unknown is no mistake", "UNKNOWN - no idea", 3, check.StateUnknown, "UNKNOWN - no idea", "", ""},

	// Labels.
	{"label with blanks", "x|'C:\\ used space'=5GB", 0, check.StateOK, "x", "", "'C:\\ used space'=5GB"},
	{"label with a quote", "x|'it''s'=5 ''''=6", 0, check.StateOK, "x", "", "'it''s'=5 ''''=6"},
	{"label with an equals sign", "x|'a=b'=5", 0, check.StateOK, "x", "", "'a=b'=5"},
	{"label with a bar", "x|'a|b'=5 c=6|d=7", 0, check.StateOK, "x", "", "'a|b'=5 c=6 d=7"},
	{"label in needless quotes", "x|'a'=5 '/'=6", 0, check.StateOK, "x", "", "a=5 /=6"},
	{"label of nothing", "x|''=5 =6", 0, check.StateOK, "x¦=6", "", "''=5"},
	{"label beyond ASCII", "x|'größe °C'=5°C", 0, check.StateOK, "x", "", "'größe °C'=5°C"},
	{"quote within a word", "x|it's=5", 0, check.StateOK, "x", "", "'it''s'=5"},
	{"quote not closed", "x|'a b=5 c=6", 0, check.StateOK, "x¦'a", "", "b=5 c=6"},

	// Values, units, thresholds.
	{"not determined", "x|a=U;1;2;0;3 b=U", 0, check.StateOK, "x", "", "a=U;1;2;0;3 b=U"},
	{"units", "x|a=1s b=2ms c=3us d=4% e=5B f=6KB g=7c h=8B/s", 0, check.StateOK, "x", "", "a=1s b=2ms c=3us d=4% e=5B f=6KB g=7c h=8B/s"},
	{"scientific notation", "x|a=1e-5 b=1.5E3s c=-2e+2;1e1 d=6.02e23 e=1e-9", 0, check.StateOK, "x", "", "a=0.00001 b=1500s c=-200;10 d=6.02e+23 e=1e-09"},
	{"a unit that begins like an exponent", "x|a=1e b=1em", 0, check.StateOK, "x", "", "a=1e b=1em"},
	{"fractions and signs", "x|a=.5 b=-0.25 c=+3 d=4.", 0, check.StateOK, "x", "", "a=0.5 b=-0.25 c=3 d=4"},
	{"ranges", "x|a=1;10:20;@10:20 b=1;~:10;10: c=1;@~:10;~:", 0, check.StateOK, "x", "", "a=1;10:20;@10:20 b=1;~:10;10: c=1;@~:10;~:"},
	{"empty fields", "x|a=1;;5;; b=1;;;0 c=1;;;;;", 0, check.StateOK, "x", "", "a=1;;5 b=1;;;0 c=1"},
	{"units in thresholds", "x|a=5%;80%;90%;0%;100%", 0, check.StateOK, "x", "", "a=5%;80;90;0;100"},
	{"blanks of every kind", "x|\t a=1 \t  b=2 ", 0, check.StateOK, "x", "", "a=1 b=2"},

	// What is not performance data stays in the text.
	{"a bar in the text", "CRITICAL - proc a|b died", 2, check.StateCritical, "CRITICAL - proc a¦b died", "", ""},
	{"a second bar on the first line", "OK | a=1 | b=2", 0, check.StateOK, "OK", "", "a=1 b=2"},
	{"text between two bars", "OK: x | y | a=1", 0, check.StateOK, "OK: x ¦ y", "", "a=1"},
	{"bars without anything", "OK ||| ", 0, check.StateOK, "OK", "", ""},
	{"bad items between good ones", "OK|a=1 b=x c=2 d= e=1;2;3;4;5;6 f=1,5 g=nan h=0x10 i=1;2:1 j=9", 0, check.StateOK,
		"OK¦b=x d= e=1;2;3;4;5;6 f=1,5 g=nan h=0x10 i=1;2:1", "", "a=1 c=2 j=9"},
	{"a number beyond all numbers", "OK|a=1e999 b=1;1e999", 0, check.StateOK, "OK¦a=1e999 b=1;1e999", "", ""},
	{"performance data on later lines only", "OK\nall well | a=1\nb=2 | c=3\n", 0, check.StateOK, "OK", "all well", "a=1 b=2 c=3"},
	{"text among later performance data", "OK\n| a=1\n  and more\nb=2 rest", 0, check.StateOK, "OK", "  and more\nrest", "a=1 b=2"},
	{"a table", "OK\n| name | n |\n| a    | 1 |", 0, check.StateOK, "OK", " name ¦ n\n a    ¦ 1", ""},
	{"a multi-line value that broke a peer", "m|a=1B\nline2|b=2", 0, check.StateOK, "m", "line2", "a=1B b=2"},

	// Bytes.
	{"CRLF", "OK|a=1\r\nlong\r\nmore|b=2\r\nc=3\r\n", 0, check.StateOK, "OK", "long\nmore", "a=1 b=2 c=3"},
	{"CR", "OK\rlong", 0, check.StateOK, "OK", "long", ""},
	{"NUL", "O\x00K|a=1\x00", 0, check.StateOK, "O\uFFFDK", "", "a=1\uFFFD"},
	{"invalid UTF-8", "caf\xe9|a=1\n\xff\xfe", 0, check.StateOK, "caf\uFFFD", "\uFFFD", "a=1"},
	{"byte order mark", "\uFEFFOK", 0, check.StateOK, "OK", "", ""},
	{"blank lines around", "\n\n OK \n\n\nlong  \n \n", 0, check.StateOK, "OK", "long", ""},
	{"text on the second line", "|a=1\nOK\nlong", 0, check.StateOK, "OK", "long", "a=1"},

	// UNKNOWN, with the reason.
	{"nothing", "", 0, check.StateUnknown, "no output, exit status 0", "", ""},
	{"nothing but blanks", " \r\n\t\n", 2, check.StateUnknown, "no output, exit status 2", "", ""},
	{"nothing but a bar", "|", 1, check.StateUnknown, "no output, exit status 1", "", ""},
	{"another status", "oops|a=1\nlong", 127, check.StateUnknown, "exit status 127 is none of 0 to 3: oops", "long", "a=1"},
	{"a negative status", "oops", -1, check.StateUnknown, "exit status -1 is none of 0 to 3: oops", "", ""},
	{"another status and no text", "|a=1", 4, check.StateUnknown, "exit status 4 is none of 0 to 3", "", "a=1"},
	{"another status and nothing", "", 4294967295, check.StateUnknown, "no output, exit status 4294967295", "", ""},
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, row := range decodeRows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := check.Decode([]byte(row.output), row.status)
			if r.State != row.state {
				t.Errorf("state is %s, want %s", r.State, row.state)
			}
			if r.Text != row.text {
				t.Errorf("text is %q, want %q", r.Text, row.text)
			}
			if r.Long != row.long {
				t.Errorf("long text is %q, want %q", r.Long, row.long)
			}
			if perf := perfText(r); perf != row.perf {
				t.Errorf("performance data is %s, want %s", perf, row.perf)
			}
			if r.Usage != (check.Usage{}) {
				t.Errorf("usage is %+v, want none", r.Usage)
			}
			roundTrip(t, r)
		})
	}
}

func perfText(r check.Result) string {
	var items []string
	for _, p := range r.Perf {
		items = append(items, p.String())
	}
	return strings.Join(items, " ")
}

// roundTrip checks that encoding what was decoded gives it back.
func roundTrip(t *testing.T, r check.Result) {
	t.Helper()
	output := check.Encode(r)
	again := check.Decode([]byte(output), int64(r.State.ExitStatus()))
	if !sameResult(r, again) {
		t.Errorf("%+v\nis encoded %q\nand decoded %+v", r, output, again)
	}
}

func sameResult(a, b check.Result) bool {
	if a.State != b.State || a.Text != b.Text || a.Long != b.Long || len(a.Perf) != len(b.Perf) {
		return false
	}
	for i := range a.Perf {
		if !samePerf(a.Perf[i], b.Perf[i]) {
			return false
		}
	}
	return true
}

func samePerf(a, b check.Perf) bool {
	return a.Label == b.Label && a.Unit == b.Unit &&
		(a.Value == b.Value || math.IsNaN(a.Value) && math.IsNaN(b.Value)) &&
		samePointer(a.Warn, b.Warn) && samePointer(a.Crit, b.Crit) &&
		samePointer(a.Min, b.Min) && samePointer(a.Max, b.Max)
}

func samePointer[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func TestDecodePerf(t *testing.T) {
	t.Parallel()
	low, high := 0.0, 100.0
	want := check.Perf{
		Label: "C: %", Value: 93.5, Unit: "%",
		Warn: &check.Range{Start: 0, End: 80},
		Crit: &check.Range{Start: math.Inf(-1), End: 90, Inside: true},
		Min:  &low, Max: &high,
	}
	r := check.Decode([]byte("x | 'C: %'=93.5%;80;@~:90;0;100 y=U"), 0)
	if len(r.Perf) != 2 || !samePerf(r.Perf[0], want) {
		t.Errorf("performance data is %+v, want %+v first", r.Perf, want)
	}
	if !math.IsNaN(r.Perf[1].Value) || r.Perf[1].Warn != nil || r.Perf[1].Min != nil {
		t.Errorf("%+v: want a value that is NaN and nothing else", r.Perf[1])
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	for _, row := range []struct {
		name   string
		result check.Result
		want   string
	}{
		{"nothing", check.Result{}, ""},
		{"all", check.Result{Text: "OK", Long: "a\nb", Perf: []check.Perf{{Label: "a", Value: 1}, {Label: "b c", Value: 0.1, Unit: "s"}}}, "OK|a=1 'b c'=0.1s\na\nb"},
		{"no text", check.Result{Perf: []check.Perf{{Label: "a"}}}, "|a=0"},
		{"bars", check.Result{Text: "a|b", Long: "c|d\ne"}, "a¦b\nc¦d\ne"},
		{"lines in the text", check.Result{Text: "a\r\nb\nc", Long: "d\re"}, "a b c\nd\ne"},
		{"bytes", check.Result{Text: "\xff\x00", Perf: []check.Perf{{Label: "a\nb\x00"}}}, "\uFFFD\uFFFD|'a b\uFFFD'=0"},
		{"numbers that are none", check.Result{Perf: []check.Perf{
			{Label: "a", Value: nan, Unit: "s"}, {Label: "b", Value: inf, Min: &nan, Max: &inf},
			{Label: "c", Warn: &check.Range{Start: nan}, Crit: &check.Range{Start: inf, End: inf}},
			{Label: "d", Warn: &check.Range{Start: 2, End: 1}, Crit: &check.Range{Start: -inf, End: -inf}},
		}}, "|a=U b=U c=0 d=0"},
		{"large and small", check.Result{Perf: []check.Perf{
			{Label: "a", Value: 1e20}, {Label: "b", Value: 1e21}, {Label: "c", Value: 1e-7}, {Label: "d", Value: 5e-324}, {Label: "e", Value: 1 << 53},
		}}, "|a=100000000000000000000 b=1e+21 c=0.0000001 d=5e-324 e=9007199254740992"},
	} {
		if got := check.Encode(row.result); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// FuzzDecode holds any output to the guarantees of Decode.
func FuzzDecode(f *testing.F) {
	for _, row := range decodeRows {
		f.Add([]byte(row.output), row.status)
	}
	f.Fuzz(func(t *testing.T, output []byte, status int64) {
		r := check.Decode(output, status)
		if _, ok := check.StateOf(status); !ok && r.State != check.StateUnknown {
			t.Errorf("state %s for exit status %d", r.State, status)
		}
		if !utf8.ValidString(r.Text + r.Long) {
			t.Errorf("invalid UTF-8 in %q, %q", r.Text, r.Long)
		}
		if strings.ContainsAny(r.Text, "|\r\n\x00") || strings.ContainsAny(r.Long, "|\r\x00") {
			t.Errorf("control characters or bars in %q, %q", r.Text, r.Long)
		}
		if r.Text == "" && len(r.Perf) == 0 {
			t.Errorf("nothing is left of %q", output)
		}
		wordsKept(t, output, r)
		roundTrip(t, r)
		if b, err := json.Marshal(r); err != nil || !json.Valid(b) {
			t.Errorf("JSON %s, %v", b, err)
		}
	})
}

// wordsKept checks that every letter that was printed is still there.
func wordsKept(t *testing.T, output []byte, r check.Result) {
	t.Helper()
	all := r.Text + r.Long + perfText(r)
	for _, c := range "abcdfghijkz" { // e is also an exponent's; thresholds may drop a unit that is repeated
		if strings.Contains(string(output), string(c)) && !strings.ContainsRune(all, c) {
			t.Errorf("%q lost its %q: %q, %q, %v", output, c, r.Text, r.Long, r.Perf)
		}
	}
}

// FuzzEncode holds the encoding of any text to what Encode promises: one more
// round changes nothing.
func FuzzEncode(f *testing.F) {
	f.Add("OK", "long\nmore", "a b", 1.5)
	f.Add("a|b\r\n", "\n|a=1", "it's|=\n", math.NaN())
	f.Add("\xff\x00", "\uFEFF", "", 1e300)
	f.Fuzz(func(t *testing.T, text, long, label string, value float64) {
		r := check.Result{State: check.StateOK, Text: text, Long: long, Perf: []check.Perf{{Label: label, Value: value}}}
		decoded := check.Decode([]byte(check.Encode(r)), 0)
		if len(decoded.Perf) != 1 {
			t.Fatalf("%q: %d items of performance data", check.Encode(r), len(decoded.Perf))
		}
		roundTrip(t, decoded)
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, row := range benchmarkOutputs() {
		b.Run(row.name, func(b *testing.B) {
			b.SetBytes(int64(len(row.output)))
			b.ReportAllocs()
			for b.Loop() {
				check.Decode(row.output, 0)
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, row := range benchmarkOutputs() {
		r := check.Decode(row.output, 0)
		b.Run(row.name, func(b *testing.B) {
			b.SetBytes(int64(len(row.output)))
			b.ReportAllocs()
			for b.Loop() {
				check.Encode(r)
			}
		})
	}
}

type benchmarkOutput struct {
	name   string
	output []byte
}

func benchmarkOutputs() []benchmarkOutput {
	return []benchmarkOutput{
		{"short", []byte("MEMORY OK - 41% of 16 GiB used | used=7042416640B;13743895347;15461882265;0;17179869184 'used %'=41%;80;90;0;100\n")},
		{"64KiB of items", []byte("OK|" + strings.Repeat("'a b'=1.5ms;10:20;@30;0;100 ", 64<<10/28))},
		{"64KiB of text", []byte(strings.Repeat("a line of text that goes on\n", 64<<10/28))},
		{"64KiB of quotes", []byte("OK|" + strings.Repeat("'a=''' ", 64<<10/7))},
		{"64KiB of bars", []byte("OK" + strings.Repeat("|a", 64<<10/2))},
	}
}
