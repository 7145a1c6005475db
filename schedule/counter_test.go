package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/schedule"
)

// The rows say what is found in run after run, and what Nagios makes of it: the
// state, its type, the attempt, and "!" where the hard state changes.
var countRows = []struct {
	name     string
	attempts int
	runs     string
}{
	// The example of Nagios' own documentation, but for the attempt of hard
	// problems, which its status shows as the last: "Check # is reset to 1".
	// https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/statetypes.html
	{"documentation", 3, "OK HARD 1, CRITICAL SOFT 1, WARNING SOFT 2, CRITICAL HARD 3 !, WARNING HARD 3 !, WARNING HARD 3, OK HARD 1 !, OK HARD 1, UNKNOWN SOFT 1, OK SOFT 2, OK HARD 1"},
	{"a problem from the start", 3, "CRITICAL SOFT 1, CRITICAL SOFT 2, CRITICAL HARD 3 !, CRITICAL HARD 3"},
	{"no retries", 1, "OK HARD 1, WARNING HARD 1 !, OK HARD 1 !, UNKNOWN HARD 1 !, CRITICAL HARD 1 !"},
	{"recovery at the last attempt", 3, "WARNING SOFT 1, WARNING SOFT 2, OK SOFT 3, WARNING SOFT 1"},
	{"a soft problem changes its kind", 4, "WARNING SOFT 1, UNKNOWN SOFT 2, CRITICAL SOFT 3, WARNING HARD 4 !"},
	{"flapping softly", 2, "CRITICAL SOFT 1, OK SOFT 2, CRITICAL SOFT 1, OK SOFT 2, CRITICAL SOFT 1, CRITICAL HARD 2 !"},
	{"recovery is hard at once", 5, "CRITICAL SOFT 1, CRITICAL SOFT 2, CRITICAL SOFT 3, CRITICAL SOFT 4, CRITICAL HARD 5 !, OK HARD 1 !, CRITICAL SOFT 1"},
}

func TestStatesAreCountedAsNagiosDoes(t *testing.T) {
	t.Parallel()
	for _, row := range countRows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := &agent{states: map[string][]check.State{"c": foundBy(t, row.runs)}}
			scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
				set(t, s, schedule.Check{Name: "c", Command: "c", Interval: time.Minute, RetryInterval: time.Second, MaxAttempts: row.attempts})
				var got []string
				for range strings.Split(row.runs, ", ") {
					e, err := s.RunNow(t.Context(), "c")
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, standing(e))
				}
				same(t, "counted", strings.Join(got, ", "), row.runs)
			})
		})
	}
}

// foundBy lists the states at the heads of a row's runs.
func foundBy(t *testing.T, runs string) (states []check.State) {
	t.Helper()
	for run := range strings.SplitSeq(runs, ", ") {
		var s check.State
		if err := s.UnmarshalText([]byte(strings.Fields(run)[0])); err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	return states
}

func standing(e check.Event) string {
	kind, changed := "SOFT", ""
	if e.Standing.Hard {
		kind = "HARD"
	}
	if e.StateChange() {
		changed = " !"
	}
	return fmt.Sprintf("%s %s %d%s", e.Result.State, kind, e.Standing.Attempt, changed)
}

func TestStandingOfARun(t *testing.T) {
	t.Parallel()
	a := &agent{states: map[string][]check.State{"c": {check.StateOK, check.StateWarning, check.StateWarning, check.StateWarning}}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		set(t, s, schedule.Check{Name: "disk", Command: "c", Interval: time.Hour, MaxAttempts: 2})
		begin := a.clock()
		for i, want := range []check.Standing{
			{Check: "disk", Hard: true, HardState: check.StateOK, Attempt: 1, MaxAttempts: 2, Since: begin},
			{Check: "disk", HardState: check.StateOK, Attempt: 1, MaxAttempts: 2, Since: begin},
			{Check: "disk", Hard: true, HardState: check.StateWarning, Changed: true, Attempt: 2, MaxAttempts: 2, Since: begin.Add(2 * time.Second)},
			{Check: "disk", Hard: true, HardState: check.StateWarning, Attempt: 2, MaxAttempts: 2, Since: begin.Add(2 * time.Second)},
		} {
			e, err := s.RunNow(t.Context(), "disk")
			if err != nil {
				t.Fatal(err)
			}
			same(t, fmt.Sprint("run ", i), *e.Standing, want)
			same(t, "origin", e.Request.Origin, check.Schedule)
			pass(time.Second)
		}
	})
}
