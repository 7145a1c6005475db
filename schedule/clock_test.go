package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/schedule"
)

// After a sleep, or a clock that is set forward, what is late runs once, and what
// was missed is counted.
func TestMissedRuns(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		ahead      time.Duration
		runs, more string
		missed     uint64
		log        string
	}{
		{"a little", time.Second, "5m0s 6m0s 7m0s", "", 0, ""},
		{"no time of it", 20 * time.Second, "5m0s 6m0s 7m0s", "", 0, "late=0 missed=0"},
		{"one time", 61 * time.Second, "5m31s 6m0s 7m0s", "5m31s", 0, "late=2 missed=0"},
		{"many times", 3 * time.Hour, "3h4m30s 3h5m0s 3h6m0s", "3h4m30s", 179, "late=2 missed=179"},
		{"a year", 365 * 24 * time.Hour, "8760h4m30s 8760h5m0s 8760h6m0s", "8760h4m30s", 1000, "late=2 missed=1011"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := &agent{}
			scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
				begin := a.clock()
				set(t, s, each("c", time.Minute), schedule.Check{Name: "cron", Command: "cron", Cron: "5 0 1 * *"})
				pass(4*time.Minute + 10*time.Second)
				a.times("c", begin)
				a.jump(row.ahead)
				pass(3 * time.Minute)
				got := strings.Fields(a.times("c", begin))
				same(t, "runs", strings.Join(got[:min(3, len(got))], " "), row.runs)
				if cron := a.times("cron", begin); row.more != "" && row.missed > 0 && cron != row.more {
					t.Errorf("the other check ran at %s, want %s", cron, row.more)
				}
				same(t, "missed", s.Checks()[0].Missed, row.missed)
				log := a.logged()
				if !strings.Contains(log, row.log) || (log == "") != (row.log == "") {
					t.Errorf("the log says %q, want %q", log, row.log)
				}
				if row.log != "" && !strings.Contains(log, fmt.Sprintf("by=%v", row.ahead)) {
					t.Errorf("the log says %q, not how far", log)
				}
			})
		})
	}
}

// When the clock is set back, checks run at their times by the new one.
func TestClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	bad := check.StateCritical
	a := &agent{states: map[string][]check.State{"soft": {bad, bad}}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		pass(10 * time.Hour)
		begin := a.clock()
		set(t, s, each("c", time.Minute), each("day", 24*time.Hour),
			schedule.Check{Name: "soft", Command: "soft", Interval: time.Hour, RetryInterval: 100 * time.Second, Splay: 1})
		pass(10 * time.Second)
		a.jump(-5 * time.Hour)
		back := begin.Add(-5 * time.Hour)
		pass(3 * time.Minute)
		if log := a.logged(); !strings.Contains(log, "the clock was set back") || !strings.Contains(log, "by=5h0m0s") {
			t.Errorf("the log says %s", log)
		}
		same(t, "c", a.times("c", back), "1m0s 2m0s 3m0s")
		same(t, "the retry of soft", strings.Join(strings.Fields(a.times("soft", back))[1:], " "), "1m40s")
		same(t, "day", s.Checks()[1].Next, begin.Add(14*time.Hour))
		for _, status := range s.Checks() {
			same(t, "missed by "+status.Check.Name, status.Missed, 0)
		}
	})
}
