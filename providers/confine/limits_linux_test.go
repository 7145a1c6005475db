package confine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers/confine"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	small := confine.Config{Memory: 32 * policy.MiB, FileSize: 1 * policy.MiB}
	for name, row := range map[string]struct{ script, free, caged string }{
		"memory":     {`head -c 100000000 /dev/zero | tail -n 1 | wc -c`, "100000000", "memory exhausted"},
		"file size":  {`head -c 2000000 /dev/zero >big; wc -c <big`, "2000000", "1048576"},
		"core dumps": {`ulimit -c; ulimit -H -c`, "", "0\n0\n"},
	} {
		if out := run(t, free, limits, sh(row.script)); !strings.Contains(out, row.free) {
			t.Errorf("%s, free: %q", name, out)
		}
		if out := run(t, newCage(t, small), limits, sh(row.script)); !strings.Contains(out, row.caged) {
			t.Errorf("%s: %q, want %q", name, out, row.caged)
		}
	}
}

// The limit of open files stops a script, and it cannot raise it.
func TestOpenFiles(t *testing.T) {
	t.Parallel()
	const script = `exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null 8</dev/null 9</dev/null; echo done`
	few := limits
	few.OpenFiles = 8
	cage := newCage(t, confine.Config{})
	if out := run(t, cage, limits, sh(script)); !strings.Contains(out, "done") {
		t.Errorf("64 files: %q", out)
	}
	if out := run(t, cage, few, sh(script)); strings.Contains(out, "done") {
		t.Errorf("8 files: %q", out)
	}
	if out := run(t, cage, few, sh("ulimit -n 64 && echo done")); strings.Contains(out, "done") {
		t.Errorf("raised: %q", out)
	}
}

func TestCPUTime(t *testing.T) {
	t.Parallel()
	short := policy.Limits{Time: time.Millisecond, OpenFiles: 64}
	if out := run(t, newCage(t, confine.Config{}), short, sh(`while :; do :; done`)); !strings.Contains(out, "CPU time limit exceeded") {
		t.Errorf("got %q", out)
	}
	for limit, want := range map[time.Duration]time.Duration{
		time.Millisecond: 2 * time.Second, time.Second: 2 * time.Second, 1001 * time.Millisecond: 3 * time.Second, time.Minute: 61 * time.Second,
	} {
		if got := confine.CPU(limit); got != want {
			t.Errorf("%v: %v, want %v", limit, got, want)
		}
	}
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	const script = `i=0; while [ $i -lt 30 ]; do sleep 1000 >/dev/null 2>&1 & i=$((i+1)); done; echo done`
	few := asUser(t, "games", confine.Config{Processes: 10})
	if out := run(t, few, limits, sh(script)); strings.Contains(out, "done") || !strings.Contains(out, "fork") {
		t.Errorf("got %q", out)
	}
	if out := run(t, asUser(t, "games", confine.Config{}), limits, sh(script)); !strings.Contains(out, "done") {
		t.Errorf("with the default: %q", out)
	}
}
