package report

import (
	"testing"
	"time"
)

func TestFigures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ got, want string }{
		{Short(0), "0"},
		{Short(1500 * time.Nanosecond), "1.5 µs"},
		{Short(123456 * time.Microsecond), "123 ms"},
		{Short(90 * time.Second), "90 s"},
		{Times(0), "-"},
		{Times(0.254), "0.25"},
		{Times(1), "1.0"},
		{Times(42.3), "42"},
		{Mebibytes(3 << 19), "1.5 MiB"},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	times := []time.Duration{5, 1, 4, 2, 3}
	for n, want := range map[int]time.Duration{1: 1, 50: 3, 99: 5, 100: 5} {
		if got := Percentile(times, n); got != want {
			t.Errorf("percentile %d is %v, want %v", n, got, want)
		}
	}
	if times[0] != 5 || Percentile(nil, 50) != 0 || Ratio(1, 0) != 0 {
		t.Error("the times are in another order, or there is a figure of nothing")
	}
}
