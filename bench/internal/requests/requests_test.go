//go:build linux

package requests

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test be a keeper, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == KeepCommand {
		if err := Keep(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// source is the directory of the project.
const source = "../../.."

// TestQuick measures everything, briefly, and finds a figure in every place.
func TestQuick(t *testing.T) {
	if _, err := parse(nil, io.Discard); err != nil && os.Getenv("WASMAGENT_REQUIRE") != "1" {
		t.Skip(err)
	}
	out, err := Run(t.Context(), "bench requests", []string{"-source", source, "-quick"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
	figures := strings.NewReplacer(
		"TIME", `(0|[0-9.]+ (s|ms|µs))`, "RATIO", `(-|[0-9.]+)`, "MEMORY", `[0-9.]+ MiB`, "|", `\|`)
	for _, want := range []string{
		"\n```sh\nbench requests\n```\n",
		`, Debian's nrpe [0-9.]+\.\n`,
		`\n| built-in | 16 | \d+ | \d+ | RATIO | TIME | TIME | RATIO | TIME | TIME | RATIO | TIME | TIME | RATIO |\n`,
		`\n| script | 1 | \d+ | \d+ | RATIO | TIME | TIME | RATIO | TIME | TIME | RATIO | TIME | TIME | RATIO |\n`,
		`\n| Go | 4 | \d+ | TIME | RATIO | TIME | TIME |\n`,
		`\n| smallest | TIME | TIME | RATIO | TIME | TIME | RATIO |\n`,
		`\n| agent | MEMORY | MEMORY | MEMORY | MEMORY |\n`,
		`\n| [1-9]\d* | \d+ | TIME | [0-9.]+ % | TIME | MEMORY | MEMORY |\n`,
		`\n| TIME | TIME | TIME |\n$`, // the end: every request was answered
	} {
		want = figures.Replace(want)
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("nothing matches %q", want)
		}
	}
}

// TestMistakes has command lines that measure nothing.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ args, want string }{
		{"-nrpe /nowhere/nrpe", "/nowhere/nrpe"},
		{"-nrpe /nowhere/nrpe", "apt-get install"},
		{"-check-nrpe /nowhere/check_nrpe", "/nowhere/check_nrpe"},
		{"-rounds 0", "is not positive"},
		{"-time -1s", "is not positive"},
		{"more", `arguments ["more"]`},
		{"-unknown", "-unknown"},
	} {
		if _, err := Run(t.Context(), "", strings.Fields(row.args), io.Discard); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.args, err, row.want)
		}
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	var s sample
	for i := range 100 {
		s.add(sample{times: []time.Duration{time.Duration(100-i) * time.Millisecond}, elapsed: 10 * time.Millisecond, cpu: 20 * time.Millisecond})
	}
	s.once(func() error { return errors.New("no") })
	if s.rate() != 100 || s.each() != 20*time.Millisecond || s.failed != 1 || s.failure == nil {
		t.Errorf("%v requests a second, %v of CPU each, %d failed with %v", s.rate(), s.each(), s.failed, s.failure)
	}
	for n, want := range map[int]time.Duration{1: time.Millisecond, 50: 50 * time.Millisecond, 99: 99 * time.Millisecond, 100: 100 * time.Millisecond} {
		if got := s.percentile(n); got != want {
			t.Errorf("percentile %d is %v, want %v", n, got, want)
		}
	}
	if none := (sample{}); none.rate() != 0 || none.each() != 0 || none.percentile(99) != 0 {
		t.Error("an empty sample has figures")
	}
}

func TestBetter(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ got, want string }{
		{better(time.Millisecond, 2*time.Millisecond), " 1.0 ms | 2.0 ms | 2.0 |"},
		{better(0, 0), " 0 | 0 | - |"},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
}
