package nrpe_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen/nrpe"
)

// FuzzRequest reads any bytes. Whatever they are and however they come, the answer is
// a packet, and nothing is the answer to nothing.
func FuzzRequest(f *testing.F) {
	for _, row := range requestRows {
		f.Add(row.packet)
	}
	r := check.Result{State: check.StateWarning, Text: "a"}
	f.Fuzz(func(t *testing.T, request []byte) {
		whole, pieces := nrpe.Answer(bytes.NewReader(request), r), nrpe.Answer(iotest.OneByteReader(bytes.NewReader(request)), r)
		if !bytes.Equal(whole, pieces) || (whole == nil) != (len(request) == 0) {
			t.Fatalf("the answer is %q, and byte by byte %q", whole, pieces)
		}
		if whole != nil {
			checkAnswer(t, parse(t, whole))
		}
	})
}

func checkAnswer(t *testing.T, a answer) {
	t.Helper()
	if a.result > 3 || a.text == "" || !utf8.ValidString(a.text) {
		t.Errorf("%+v is no answer", a)
	}
}

// outputRows are outputs of plugins that a packet of version 2 has no room for.
var outputRows = []struct {
	name, output string
	want         string // its end
}{
	{"text", strings.Repeat("ä", 600) + "|a=1", "ä..."},
	{"text that leaves no room for data", strings.Repeat("x", 1020) + "|abc=1", "x"},
	{"data", "x" + strings.Repeat("|abcdefg=12345;;;0;99999", 1) + strings.Repeat(" abcdefg=12345;;;0;99999", 50), "0;99999"},
	{"data, then text", "x|a=1" + strings.Repeat(" abcdefg=12345;;;0;99999", 50) + "\nlong", "0;99999"},
	{"long text", "x|a=1 b=2\n" + strings.Repeat("line\n", 400), "..."},
	{"a label in quotes", "x|" + strings.Repeat("'a b=c|d'=1s;2;3 ", 100), "'a b=c¦d'=1s;2;3"},
	{"long text of which no byte has room", strings.Repeat("x", 1022) + "\nlong", "x"},
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, row := range outputRows {
		got := cut(t, row.output, 1023)
		if len(got) > 1023 || !strings.HasSuffix(strings.ReplaceAll(got, "c|d", "c¦d"), row.want) {
			t.Errorf("%s: %d bytes that end with %q, want %q", row.name, len(got), got[max(0, len(got)-40):], row.want)
		}
	}
}

// cut cuts an output, and checks that what is left of its data reads as the same.
func cut(t *testing.T, output string, limit int) string {
	t.Helper()
	r := check.Decode([]byte(output), 0)
	got := nrpe.Fit(r, limit)
	if again := check.Decode([]byte(got), 0); !prefix(again.Perf, r.Perf) || !utf8.ValidString(got) {
		t.Errorf("%.200q is cut to %.1200q, and reads as %v", output, got, again.Perf)
	}
	return got
}

// prefix tells whether the items are the first ones of all. NaN equals nothing, and
// is taken for zero.
func prefix(items, all []check.Perf) bool {
	defined := func(list []check.Perf) (copied []check.Perf) {
		for _, p := range list {
			if math.IsNaN(p.Value) {
				p.Value = 0
			}
			copied = append(copied, p)
		}
		return copied
	}
	return len(items) <= len(all) && (len(items) == 0 || reflect.DeepEqual(defined(items), defined(all[:len(items)])))
}

// FuzzCut cuts the output of any plugin.
func FuzzCut(f *testing.F) {
	for _, row := range outputRows {
		f.Add(row.output, uint16(1023))
	}
	f.Fuzz(func(t *testing.T, output string, limit uint16) {
		if got := cut(t, output, int(limit)); len(got) > int(limit) {
			t.Errorf("%d bytes", len(got))
		}
	})
}
