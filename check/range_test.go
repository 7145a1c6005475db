package check_test

import (
	"math"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
)

var inf = math.Inf(1)

var rangeRows = []struct {
	text  string
	want  check.Range
	short string // as String writes it
}{
	{"10", check.Range{Start: 0, End: 10}, "10"},
	{"10:", check.Range{Start: 10, End: inf}, "10:"},
	{"~:10", check.Range{Start: -inf, End: 10}, "~:10"},
	{"10:20", check.Range{Start: 10, End: 20}, "10:20"},
	{"@10:20", check.Range{Start: 10, End: 20, Inside: true}, "@10:20"},
	{"@10", check.Range{Start: 0, End: 10, Inside: true}, "@10"},
	{":10", check.Range{Start: 0, End: 10}, "10"},
	{"0:10", check.Range{Start: 0, End: 10}, "10"},
	{"0:", check.Range{Start: 0, End: inf}, "0:"},
	{"0", check.Range{}, "0"},
	{"~:", check.Range{Start: -inf, End: inf}, "~:"},
	{"@~:", check.Range{Start: -inf, End: inf, Inside: true}, "@~:"},
	{"-10:-5", check.Range{Start: -10, End: -5}, "-10:-5"},
	{"~:-5", check.Range{Start: -inf, End: -5}, "~:-5"},
	{"-5:", check.Range{Start: -5, End: inf}, "-5:"},
	{"5:5", check.Range{Start: 5, End: 5}, "5:5"},
	{".5:1e3", check.Range{Start: 0.5, End: 1000}, "0.5:1000"},
	{"1e-10:1e22", check.Range{Start: 1e-10, End: 1e22}, "1e-10:1e+22"},
}

func TestParseRange(t *testing.T) {
	t.Parallel()
	for _, row := range rangeRows {
		r, err := check.ParseRange(row.text)
		if err != nil || r != row.want {
			t.Errorf("%q: %+v, %v; want %+v", row.text, r, err, row.want)
		}
		if r.String() != row.short {
			t.Errorf("%q: written %q, want %q", row.text, r, row.short)
		}
	}
}

// badRanges are texts and what the error says of them.
var badRanges = []struct{ text, says string }{
	{"", "no bound"},
	{"@", "no bound"},
	{":", "no bound"},
	{"x", `"x" is not a decimal number`},
	{"~", `"~" is not a decimal number`},
	{"10:~", `"~" is not a decimal number`},
	{"1:2:3", `"2:3" is not a decimal number`},
	{"20:10", "begins at 20, above its end 10"},
	{"-5", "begins at 0, above its end -5"},
	{"80%", `"80%" is not a decimal number`},
	{" 1", `" 1" is not a decimal number`},
	{"1 ", `"1 " is not a decimal number`},
	{"@@1", `"@1" is not a decimal number`},
	{"inf", `"inf" is not a decimal number`},
	{"nan:", `"nan" is not a decimal number`},
	{"0x10", `"0x10" is not a decimal number`},
	{"1_000", `"1_000" is not a decimal number`},
	{"1e", `"1e" is not a decimal number`},
	{"-", `"-" is not a decimal number`},
	{".", `"." is not a decimal number`},
	{"1e999", `"1e999" is too large a number`},
	{strings.Repeat("x", 1000), "want a range such as 10, 10:, ~:10, 10:20 or @10:20"},
}

func TestParseRangeRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range badRanges {
		r, err := check.ParseRange(row.text)
		if err == nil {
			t.Errorf("%q: %+v, want an error", row.text, r)
		} else if !strings.Contains(err.Error(), row.says) || len(err.Error()) > 300 {
			t.Errorf("%q: %q does not say %q within 300 bytes", row.text, err, row.says)
		}
	}
}

func TestRangeAlerts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text  string
		value float64
		want  bool
	}{
		{"10", 0, false}, {"10", 10, false}, {"10", 10.1, true}, {"10", -0.1, true},
		{"10:", 9, true}, {"10:", 10, false}, {"10:", inf, false},
		{"~:10", -1e300, false}, {"~:10", 11, true},
		{"10:20", 9, true}, {"10:20", 15, false}, {"10:20", 21, true},
		{"@10:20", 9, false}, {"@10:20", 10, true}, {"@10:20", 20, true}, {"@10:20", 21, false},
		{"10", math.NaN(), false}, {"@10", math.NaN(), false},
	} {
		r, err := check.ParseRange(row.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Alerts(row.value); got != row.want {
			t.Errorf("%q alerts for %v: %v, want %v", row.text, row.value, got, row.want)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, row := range rangeRows {
		f.Add(row.text)
	}
	for _, row := range badRanges {
		f.Add(row.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := check.ParseRange(text)
		if err != nil {
			return
		}
		if !(r.Start <= r.End) {
			t.Errorf("%q: %+v is empty", text, r)
		}
		again, err := check.ParseRange(r.String())
		if err != nil || again != r {
			t.Errorf("%q: %+v is written %q and read %+v, %v", text, r, r, again, err)
		}
	})
}
