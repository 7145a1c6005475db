package runtime_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// goReactor is testdata/reactor as a reactor whose runs begin from a snapshot.
func goReactor(t *testing.T) *runtime.Program {
	t.Helper()
	p := program(t, newEngine(t, runtime.Config{Log: quiet}), build(t, "reactor", "-buildmode=c-shared"))
	if err := p.Snapshot(t.Context(), policy.Limits{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// prints is what a run prints that must end well.
func prints(t *testing.T, p *runtime.Program, input string, args ...string) string {
	t.Helper()
	out, err := p.Run(t.Context(), runtime.Guest{Args: append([]string{"check"}, args...), Input: []byte(input), Root: exampleRoot(t)})
	if err != nil || status(out) != "0" || len(out.Stderr) > 0 {
		t.Errorf("%q: status %s, %v, stderr %q", args, status(out), err, out.Stderr)
	}
	return string(out.Stdout)
}

// TestGoReactor wants runs of a Go program that begin from a snapshot to be those of
// the same program as a command, one after the other.
func TestGoReactor(t *testing.T) {
	t.Parallel()
	reactor := goReactor(t)
	command := program(t, newEngine(t, runtime.Config{Log: quiet}), build(t, "reactor"))
	for range 2 {
		for _, row := range []struct{ args, input, want string }{
			{"args", "", `["check" "args"]`},
			{"args one two", "", `["check" "args" "one" "two"]`},
			{"args " + strings.Repeat("x", 10_000), "", `["check" "args" "` + strings.Repeat("x", 10_000) + `"]`},
			{"flags -n 3 x", "", "3 [x]"},
			{"state", "", "0 [one two three] map[one:1 two:2] true  / 2"},
			{"goroutines", "", "42\n4950"},
			{"memory", "", "23600000 true true"},
			{"input", "", `"" <nil>`},
			{"input", "some", `"some" <nil>`},
			{"files", "", `4 "the first file" <nil>`},
		} {
			for form, p := range map[string]*runtime.Program{"reactor": reactor, "command": command} {
				if got := prints(t, p, row.input, strings.Fields(row.args)...); got != row.want+"\n" {
					t.Errorf("%s as a %s: %.200q; want %.200q", row.args, form, got, row.want)
				}
			}
		}
	}
	var instructions [2]uint64
	for i, p := range []*runtime.Program{reactor, command} {
		out, err := p.Run(t.Context(), runtime.Guest{Args: []string{"check", "args"}})
		if err != nil {
			t.Fatal(err)
		}
		instructions[i] = out.Usage.Instructions
	}
	if instructions[0]*10 > instructions[1] {
		t.Errorf("%d instructions as a reactor, %d as a command; want a tenth at most", instructions[0], instructions[1])
	}
}

// TestGoReactorAtOnce wants runs at the same time to have nothing of one another.
func TestGoReactorAtOnce(t *testing.T) {
	t.Parallel()
	p := goReactor(t)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for range 4 {
				word := fmt.Sprint("word", i)
				if got, want := prints(t, p, "", "args", word), fmt.Sprintf("[\"check\" \"args\" %q]\n", word); got != want {
					t.Errorf("%q; want %q", got, want)
				}
				if got, want := prints(t, p, word, "input"), fmt.Sprintf("%q <nil>\n", word); got != want {
					t.Errorf("%q; want %q", got, want)
				}
				if got, want := prints(t, p, "", "state"), "0 [one two three] map[one:1 two:2] true  / 2\n"; got != want {
					t.Errorf("%q; want %q", got, want)
				}
			}
		})
	}
	group.Wait()
}

// TestGoReactorIsRandom wants every kind of randomness to differ from run to run, but
// for what is drawn before main.
func TestGoReactorIsRandom(t *testing.T) {
	t.Parallel()
	p := goReactor(t)
	kinds := []string{"math/rand", "math/rand/v2", "crypto/rand", "the order of a map", "a permutation"}
	const runs = 20
	seen := make([]map[string]bool, len(kinds))
	for range runs {
		lines := strings.Split(strings.TrimSpace(prints(t, p, "", "random")), "\n")
		if len(lines) != len(kinds) {
			t.Fatalf("%q", lines)
		}
		for i, line := range lines {
			if seen[i] == nil {
				seen[i] = map[string]bool{}
			}
			seen[i][line] = true
		}
	}
	for i, kind := range kinds {
		if len(seen[i]) != runs {
			t.Errorf("%s: %d different ones in %d runs", kind, len(seen[i]), runs)
		}
	}
	if one, other := prints(t, p, "", "number"), prints(t, p, "", "number"); one != other {
		t.Errorf("what is computed before main was computed for each run: %s, then %s", one, other)
	}
}

// TestGoReactorKnowsTheTime wants the clocks of a run to go on.
func TestGoReactorKnowsTheTime(t *testing.T) {
	t.Parallel()
	p := goReactor(t)
	for range 3 {
		before := time.Now().UnixNano()
		var began, slept int64
		if _, err := fmt.Sscan(prints(t, p, "", "clock"), &began, &slept); err != nil {
			t.Fatal(err)
		}
		after := time.Now().UnixNano()
		if began < before || began > after || slept < int64(2*time.Millisecond) || slept > after-before {
			t.Errorf("it began at %d and slept for %d ns; want it between %d and %d, and 2 ms at least", began, slept, before, after)
		}
	}
}
