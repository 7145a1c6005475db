//go:build linux

package checks

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

func TestSeries(t *testing.T) {
	t.Parallel()
	var s series
	if s.p50() != 0 || s.p99() != 0 || s.cpu() != 0 || s.rate() != 0 {
		t.Error("a series without rounds has figures")
	}
	for _, slowest := range []time.Duration{3, 4, 100} { // one round is disturbed
		s.add(worker.Answer{Times: []time.Duration{1 * time.Millisecond, 2 * time.Millisecond, slowest * time.Millisecond}, Elapsed: slowest * time.Millisecond, CPU: 3 * slowest * time.Millisecond})
	}
	if s.p50() != 2*time.Millisecond || s.p99() != 100*time.Millisecond || s.cpu() != 4*time.Millisecond || s.rate() != 750 {
		t.Errorf("p50 %v, p99 %v, CPU %v, %v runs a second", s.p50(), s.p99(), s.cpu(), s.rate())
	}
}

func TestGoals(t *testing.T) {
	t.Parallel()
	f := &findings{
		subjects: []*subject{
			timed(smallest, "process", 1, 900*time.Microsecond),
			timed(smallest, "sandbox", 1, 30*time.Microsecond),
			timed(smallest, "sandbox", 1000, 40*time.Microsecond),
			timed(onSDK, "process", 1, 1500*time.Microsecond),
			timed(onSDK, "sandbox", 1, 500*time.Microsecond),
			timed(onSDK, "Extism", 1, 3*time.Millisecond),
			timed(inGo, "process", 1, time.Millisecond),
			timed(inGo, "sandbox", 1, 1400*time.Microsecond),
		},
		metered: []metered{{"check_x", 11 * time.Millisecond, 10 * time.Millisecond}},
	}
	out := &strings.Builder{}
	f.writeGoals(out)
	for _, want := range []string{
		"| smallest, sandbox, against `sh -c echo`, process: times faster | at least 15 | 30.00 | reached | 900 µs / 30 µs |",
		"| smallest, sandbox, against `sh -c echo`, process: times less CPU | at least 15 | 30.00 | reached | 450 µs / 15 µs |",
		"| C, sandbox, against `sh -c echo`, process: times faster | at least 15 | 0.00 | not measured | 900 µs / 0 |",
		"| Go on the SDK, sandbox, against Go on the SDK, process: times faster | at least 3 | 3.00 | reached | 1.5 ms / 500 µs |",
		"| Go on the SDK, sandbox, against Go on the SDK, Extism: times faster | at least 8 | 6.00 | **not reached** | 3.0 ms / 500 µs |",
		"| Go, sandbox, against Go, process: times slower | at most 1.3 | 1.40 | **not reached** | 1.4 ms / 1.0 ms |",
		"| smallest, sandbox: runs a second on two processors, against one | at least 1.8 | 2.00 | reached | 66667 / 33333 |",
		"| smallest, sandbox: a run among 1000 modules, each in turn, against among one | at most 1.1 | 1.33 | **not reached** | 40 µs / 30 µs |",
		"| check_x, metered, against without a meter | at most 1.1 | 1.10 | reached | 11 ms / 10 ms |",
	} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("there is no line %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	s := timed(inC, "Extism", 10)
	s.failure = errors.New("it did not work")
	out, err := (&findings{machine: "m", versions: "v", subjects: []*subject{s}}).section("")
	if err != nil || !strings.HasSuffix(out, "\nNot measured: C, Extism, 10 modules: it did not work\n") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestMeterings(t *testing.T) {
	t.Parallel()
	got := meterings([]byte("goos: linux\nBenchmarkMetering/loop-2\t 1\t 9 ns/op\t 1 metered-µs\nBenchmarkMetering/check_x-2\t 12\t 99 ns/op\t 1.1 median-of-ratios\t 110.5 metered-µs\t 100 plain-µs\nPASS\n"))
	want := metered{"check_x", 110500 * time.Nanosecond, 100 * time.Microsecond}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestSubjects wants every check in every way among every number of modules, and -only to
// choose some of them.
func TestSubjects(t *testing.T) {
	t.Parallel()
	l := &lab{plan: plan{modules: []int{1, 10, 1000}, only: regexp.MustCompile("")}}
	names := map[string]bool{}
	for _, s := range l.chosen() {
		names[s.String()] = true
		if alike := s.job.Modules > heavy && (s.check == onSDK || s.check == inGo); s.job.Alike != alike {
			t.Errorf("%s: alike %v", s, s.job.Alike)
		}
	}
	for _, want := range []string{"smallest, process", "smallest, Extism, 1000 modules", "C, sandbox, 10 modules", "Go, wazero", "Go on the SDK, sandbox, 10 modules", "Python, process"} {
		if !names[want] {
			t.Errorf("there is no %q", want)
		}
	}
	l.only = regexp.MustCompile("^C, .*m$")
	if chosen := l.chosen(); len(chosen) != 1 || chosen[0].String() != "C, Extism" {
		t.Errorf("chosen: %v", chosen)
	}
}

// TestWorker wants the first failure of a check told, and the worker to go on.
func TestWorker(t *testing.T) {
	w, err := (&subject{}).hire(1)
	if err != nil {
		t.Fatal(err)
	}
	j := worker.Job{Way: "process", Argv: []string{"/bin/sh", "-c", "echo 'CRITICAL: the end is near'"}, Modules: 1}
	if _, err := w.Do(worker.Order{Open: &j}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Do(worker.Order{For: 1}); err == nil || !strings.Contains(err.Error(), "CRITICAL") {
			t.Errorf("%v, want the answer", err)
		}
	}
	if err := w.Leave(); err != nil {
		t.Error(err)
	}
	if _, err := w.Do(worker.Order{For: 1}); err == nil {
		t.Error("a worker that has left carries out an order")
	}
}

// TestMemory has a worker hold processes, whose memory counts with its own.
func TestMemory(t *testing.T) {
	t.Parallel()
	j := worker.Job{Way: "process", Argv: []string{"/bin/sh", "-c", "echo 'OK: " + worker.Said + "'"}, Held: "echo 'OK: " + worker.Said + "'; read end || true", Modules: 1}
	sizes, err := (&subject{}).sizes(worker.Order{Open: &j}, worker.Order{Hold: 8})
	if err != nil {
		t.Fatal(err)
	}
	if least := 8 * 32 << 10; sizes[0] < least || sizes[1] < sizes[0]+least {
		t.Errorf("%d bytes, and with 8 processes %d", sizes[0], sizes[1])
	}
}
