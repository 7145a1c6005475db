//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test be a keeper, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == keepCommand {
		finish(keep(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// TestQuick measures everything, briefly, and finds a figure in every place.
func TestQuick(t *testing.T) {
	if _, err := parse(nil, io.Discard); err != nil && os.Getenv("WASMAGENT_REQUIRE") != "1" {
		t.Skip(err)
	}
	out := &strings.Builder{}
	if err := run(t.Context(), []string{"-quick"}, out, t.Output()); err != nil {
		t.Fatal(err)
	}
	t.Log(out)
	figures := strings.NewReplacer(
		"TIME", `(0|[0-9.]+ (s|ms|µs))`, "RATIO", `(-|[0-9.]+)`, "MEMORY", `[0-9.]+ MiB`, "|", `\|`)
	for _, want := range []string{
		"\n```sh\ngo run -C bench . -quick\n```\n",
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
		if !regexp.MustCompile(want).MatchString(out.String()) {
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
		{"-into /nowhere/file.md", "/nowhere/file.md"},
		{"more", `arguments ["more"]`},
		{"-unknown", "-unknown"},
	} {
		if err := run(t.Context(), strings.Fields(row.args), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), row.want) {
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

func TestFigures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ got, want string }{
		{short(0), "0"},
		{short(1500 * time.Nanosecond), "1.5 µs"},
		{short(123456 * time.Microsecond), "123 ms"},
		{short(90 * time.Second), "90 s"},
		{times(0), "-"},
		{times(0.254), "0.25"},
		{times(1), "1.0"},
		{times(42.3), "42"},
		{mebibytes(3 << 19), "1.5 MiB"},
		{better(time.Millisecond, 2*time.Millisecond), " 1.0 ms | 2.0 ms | 2.0 |"},
		{better(0, 0), " 0 | 0 | - |"},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	section := heading + "\n\nnew\n"
	for _, row := range []struct{ document, want string }{
		{"# A\n\n## Requests\n\nold\n\n## Other\n\nthat\n", "# A\n\n## Requests\n\nnew\n\n## Other\n\nthat\n"},
		{"# A\n\n## Requests\n\nold\n", "# A\n\n## Requests\n\nnew\n"},
		{"## Requests\n", "## Requests\n\nnew\n"},
	} {
		got, err := replaced(row.document, section)
		if err != nil || got != row.want {
			t.Errorf("%q: %q, %v; want %q", row.document, got, err, row.want)
		}
		if again, err := replaced(got, section); err != nil || again != got {
			t.Errorf("%q, again: %q, %v", got, again, err)
		}
	}
	if _, err := replaced("# A\n\n### Requests\n", section); err == nil {
		t.Error("a section was replaced that is not there")
	}
}
