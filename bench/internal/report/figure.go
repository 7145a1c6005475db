// Package report is what the sections of BENCHMARKS.md have in common: how a figure is
// written, what is said of the machine, and how a section takes the place of an old one.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Short is a time with two or three digits.
func Short(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.size {
			return Digits(float64(d)/float64(unit.size)) + " " + unit.name
		}
	}
	return "0"
}

// Times is a ratio; zero is that there is none.
func Times(r float64) string {
	if r == 0 {
		return "-"
	}
	return Digits(r)
}

// Digits is a number with two digits, or all before the point.
func Digits(n float64) string {
	switch {
	case n >= 10:
		return fmt.Sprintf("%.0f", n)
	case n >= 1:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

// Mebibytes is a size.
func Mebibytes(bytes int) string { return Digits(float64(bytes)/(1<<20)) + " MiB" }

// Ratio is a / b, and zero where there is none.
func Ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Percentile is the time that n of 100 took at most; zero if there are none.
func Percentile(times []time.Duration, n int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[(len(sorted)*n-1)/100]
}

// Sentence begins a text with a capital letter, where it has a letter.
func Sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
