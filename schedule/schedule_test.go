package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/schedule"
)

func TestChecksRunAtTheirIntervals(t *testing.T) {
	t.Parallel()
	a := &agent{}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		pass(10 * time.Second)
		set(t, s, each("minute", time.Minute), each("quarter", 15*time.Second))
		pass(2*time.Minute - 10*time.Second)
		same(t, "minute", a.times("minute", begin), "1m0s 2m0s")
		same(t, "quarter", a.times("quarter", begin), "15s 30s 45s 1m0s 1m15s 1m30s 1m45s 2m0s")
		same(t, "log", a.logged(), "")
	})
}

// A check with a long interval comes soon the first time, and then at its times.
func TestLongIntervalsBeginSoon(t *testing.T) {
	t.Parallel()
	a := &agent{}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		pass(90 * time.Minute)
		set(t, s, each("day", 24*time.Hour), schedule.Check{Name: "spread", Command: "spread", Interval: 24 * time.Hour}, schedule.Check{Name: "cron", Command: "cron", Cron: "@daily"})
		if next := s.Checks()[2].Next.Sub(begin.Add(90 * time.Minute)); next < 0 || next >= schedule.FirstWithin {
			t.Errorf("a check that is spread over a day begins after %v", next)
		}
		pass(48 * time.Hour)
		same(t, "day", a.times("day", begin), "1h30m0s 24h0m0s 48h0m0s")
		same(t, "cron", a.times("cron", begin), "24h0m0s 48h0m0s")
	})
}

func TestCronExpressionsRunAtTheirTimes(t *testing.T) {
	t.Parallel()
	a := &agent{}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		set(t, s, schedule.Check{Name: "c", Command: "c", Cron: "*/20 6-7 * * *"})
		pass(24 * time.Hour)
		same(t, "runs", a.times("c", begin), "6h0m0s 6h20m0s 6h40m0s 7h0m0s 7h20m0s 7h40m0s")
	})
}

// While a problem is soft, runs follow one another at the retry interval, from the
// end of one to the next; then the check is at its own times again.
func TestSoftProblemsAreRetried(t *testing.T) {
	t.Parallel()
	bad := check.StateCritical
	a := &agent{states: map[string][]check.State{"c": {bad, bad, bad, bad, check.StateOK, bad}}, takes: map[string]time.Duration{"c": time.Second}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		set(t, s, schedule.Check{Name: "c", Command: "c", Interval: time.Minute, Splay: 1, RetryInterval: 10 * time.Second, MaxAttempts: 3})
		pass(5*time.Minute + 30*time.Second)
		// Soft at 1:01 and 1:12, hard at 1:23 and 2:01, OK at 3:01, soft at 4:01, and
		// recovered at 4:12.
		same(t, "ends of runs", a.times("c", begin), "1m1s 1m12s 1m23s 2m1s 3m1s 4m1s 4m12s 5m1s")
		same(t, "missed", s.Checks()[0].Missed, 0)
	})
}

// A check that runs on when it is due again is not run twice at a time.
func TestChecksDoNotOverlap(t *testing.T) {
	t.Parallel()
	a := &agent{takes: map[string]time.Duration{"c": 25 * time.Second}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		set(t, s, each("c", 10*time.Second))
		pass(15 * time.Second)
		if status := s.Checks()[0]; !status.Running || !status.Next.IsZero() {
			t.Errorf("while it runs it is %+v", status)
		}
		pass(75 * time.Second)
		same(t, "ends of runs", a.times("c", begin), "35s 1m5s")
		same(t, "at one time", a.most, 1)
		same(t, "missed", s.Checks()[0].Missed, 4)
		if log := a.logged(); strings.Count(log, "not done when it was due again") != 1 || !strings.Contains(log, "check=c missed=2") {
			t.Errorf("the log says %s", log)
		}
		a.mu.Lock()
		a.takes["c"] = time.Second
		a.mu.Unlock()
		pass(time.Minute)
		same(t, "missed after it is fast", s.Checks()[0].Missed, 6)
	})
}

func TestRunsHaveATimeLimit(t *testing.T) {
	t.Parallel()
	a := &agent{takes: map[string]time.Duration{"c": time.Hour}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		set(t, s, schedule.Check{Name: "c", Command: "c", Interval: time.Minute, Splay: 1, Time: 5 * time.Second, MaxAttempts: 1})
		pass(time.Minute + 30*time.Second)
		same(t, "ends of runs", a.times("c", begin), "1m5s")
		last := s.Checks()[0].Last
		if last.Result.State != check.StateUnknown || last.Err == nil || !strings.Contains(last.Err.Error(), "time limit of its schedule, 5s") || !last.StateChange() {
			t.Errorf("it was %+v", last)
		}
	})
}

func TestRunsAreBounded(t *testing.T) {
	t.Parallel()
	a := &agent{takes: map[string]time.Duration{}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		var checks []schedule.Check
		for i := range 3 * schedule.MaxRuns {
			c := each(fmt.Sprintf("c%02d", i), time.Minute)
			a.takes[c.Command] = 10 * time.Second
			checks = append(checks, c)
		}
		set(t, s, checks...)
		pass(time.Minute + 45*time.Second)
		same(t, "at one time", a.most, schedule.MaxRuns)
		for i := range checks {
			same(t, checks[i].Name, a.times(checks[i].Command, begin), fmt.Sprint(time.Minute+time.Duration(i/schedule.MaxRuns+1)*10*time.Second))
		}
	})
}

func TestRunNow(t *testing.T) {
	t.Parallel()
	a := &agent{takes: map[string]time.Duration{"slow": 10 * time.Second, "others": 10 * time.Second}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		checks := []schedule.Check{each("c", time.Hour), each("slow", time.Hour), {Name: "never", Command: "never", Cron: "0 0 29 2 1"}}
		for i := range schedule.MaxRuns - 1 {
			other := each(fmt.Sprint("other", i), 24*time.Hour)
			other.Command = "others"
			checks = append(checks, other)
		}
		set(t, s, checks...)
		pass(30 * time.Minute)
		a.times("c", begin)
		a.times("slow", begin)
		e, err := s.RunNow(t.Context(), "c")
		if err != nil || e.Request.Command != "c" || e.Standing == nil || !e.Standing.Hard {
			t.Errorf("%+v, %v", e, err)
		}
		if _, err := s.RunNow(t.Context(), "never"); err != nil {
			t.Error(err)
		}

		// Two that ask while it runs, or waits for room, hear of one run.
		for _, other := range checks[3:] {
			go s.RunNow(t.Context(), other.Name)
		}
		synctest.Wait()
		events := make(chan check.Event, 3)
		for _, name := range []string{"slow", "slow", "c"} {
			go func() {
				e, err := s.RunNow(t.Context(), name)
				if err != nil {
					t.Error(err)
				}
				events <- e
			}()
			synctest.Wait()
		}
		pass(11 * time.Second)
		if first, second, third := <-events, <-events, <-events; first.Time != second.Time || !first.Time.Equal(third.Time) {
			t.Errorf("the runs ended at %v, %v and %v", first.Time, second.Time, third.Time)
		}
		pass(time.Hour)
		same(t, "slow", a.times("slow", begin), "30m10s 1h0m10s")
		same(t, "c", a.times("c", begin), "30m0s 30m10s 1h0m0s")
		same(t, "missed", s.Checks()[0].Missed, 0)
	})
}

func TestRunNowThatIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	a := &agent{takes: map[string]time.Duration{"c": 10 * time.Second}}
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(schedule.Config{Run: a.run, Now: a.clock})
		set(t, s, each("c", time.Hour), each("d", time.Hour))
		if _, err := s.RunNow(t.Context(), "x"); !errors.Is(err, schedule.ErrNotFound) {
			t.Errorf("of no check: %v", err)
		}
		// Before Serve nothing runs.
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.RunNow(short, "c"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before Serve: %v", err)
		}
		gone := make(chan error, 1)
		go func() { _, err := s.RunNow(t.Context(), "d"); gone <- err }()
		synctest.Wait()
		set(t, s, each("c", time.Hour))
		if err := <-gone; !errors.Is(err, schedule.ErrNotFound) || !strings.Contains(err.Error(), `check "d": no such check is scheduled any more`) {
			t.Errorf("of a check that goes: %v", err)
		}

		serving, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Serve(serving) }()
		pass(2 * time.Second)
		short, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.RunNow(short, "c"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("of a run that lasts: %v", err)
		}
		pass(10 * time.Second)
		if last := s.Checks()[0].Last; last.Err != nil || last.Standing == nil {
			t.Errorf("the run that was not waited for is %+v", last)
		}
		stop()
		<-ended
		if _, err := s.RunNow(t.Context(), "c"); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("after Serve: %v", err)
		}
	})
}

// What is in flight when the agent stops changes no state.
func TestServeEnds(t *testing.T) {
	t.Parallel()
	a := &agent{takes: map[string]time.Duration{"c": 30 * time.Second}}
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(schedule.Config{Run: a.run, Now: a.clock})
		set(t, s, schedule.Check{Name: "c", Command: "c", Interval: time.Minute, Splay: 1, MaxAttempts: 1})
		serving, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Serve(serving) }()
		pass(time.Minute + time.Second)
		stop()
		<-ended
		last := s.Checks()[0].Last
		if last.Err == nil || !strings.Contains(last.Err.Error(), "the agent is stopping") || last.StateChange() || last.Standing.HardState != check.StateOK || last.Standing.Hard {
			t.Errorf("it was %+v, %+v", last, last.Standing)
		}
		pass(time.Hour)
		same(t, "runs", len(a.runs), 1)
	})
}

func TestSetKeepsWhatStays(t *testing.T) {
	t.Parallel()
	a := &agent{states: map[string][]check.State{"c": {check.StateWarning, check.StateWarning, check.StateCritical}}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		c := schedule.Check{Name: "c", Command: "c", Interval: time.Minute, Splay: 1, RetryInterval: 20 * time.Second, MaxAttempts: 3}
		set(t, s, c, each("gone", time.Minute))
		pass(time.Minute + 30*time.Second)
		before := s.Checks()
		set(t, s, each("new", time.Minute), c)
		after := s.Checks()
		if len(after) != 2 || !reflect.DeepEqual(after[0], before[0]) || after[1].Check.Name != "new" || after[1].Last.Standing != nil {
			t.Errorf("the checks were %+v and are %+v", before, after)
		}
		// Other arguments, and less patience, at the same times.
		c.Args, c.MaxAttempts = []string{"-v"}, 2
		set(t, s, c)
		same(t, "due", s.Checks()[0].Next, before[0].Next)
		pass(20 * time.Second)
		e := s.Checks()[0].Last
		if !reflect.DeepEqual(e.Request.Args, []string{"-v"}) || !e.Standing.Changed || e.Standing.HardState != check.StateCritical || e.Standing.Attempt != 2 {
			t.Errorf("%+v, %+v", e, e.Standing)
		}
		// Other times.
		c.Interval, c.Cron = 0, "30 0 * * *"
		set(t, s, c)
		same(t, "due", s.Checks()[0].Next, begin.Add(30*time.Minute))
		if last := s.Checks()[0].Last; !reflect.DeepEqual(last, e) {
			t.Errorf("the last run was %+v and is %+v", e, last)
		}
		pass(time.Hour)
		same(t, "runs", a.times("c", begin), "1m0s 1m20s 1m40s 30m0s")
		same(t, "gone", a.times("gone", begin), "1m0s")
	})
}

// A check that is set anew while it runs still does not overlap with itself.
func TestSetWhileRunning(t *testing.T) {
	t.Parallel()
	a := &agent{takes: map[string]time.Duration{"c": 30 * time.Second, "d": 30 * time.Second}}
	scheduled(t, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		set(t, s, each("c", time.Minute), each("d", time.Minute))
		pass(time.Minute + 10*time.Second)
		set(t, s)
		same(t, "checks", len(s.Checks()), 0)
		if _, err := s.RunNow(t.Context(), "c"); !errors.Is(err, schedule.ErrNotFound) {
			t.Errorf("of a check that has gone: %v", err)
		}
		set(t, s, each("c", 15*time.Second))
		if e, err := s.RunNow(t.Context(), "c"); err != nil || e.Time.Sub(begin) != 90*time.Second {
			t.Errorf("%+v, %v", e, err)
		}
		synctest.Wait()
		same(t, "due", s.Checks()[0].Next, begin.Add(105*time.Second))
		pass(46 * time.Second)
		same(t, "c", a.times("c", begin), "1m30s 2m15s")
		same(t, "d", a.times("d", begin), "1m30s")
		same(t, "at one time", a.most, 2)
	})
}

func TestSetIsAllOrNothing(t *testing.T) {
	t.Parallel()
	for _, row := range checkRows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := schedule.New(schedule.Config{})
			good := each("good", time.Minute)
			if err := s.Set([]schedule.Check{good}); err != nil {
				t.Fatal(err)
			}
			checks := append([]schedule.Check{each("other", time.Minute)}, row.checks...)
			err := s.Set(checks)
			if valid := schedule.Validate(checks); fmt.Sprint(valid) != fmt.Sprint(err) {
				t.Errorf("Validate says %v, and Set %v", valid, err)
			}
			if len(row.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			if lines := strings.Count(err.Error(), "\n") + 1; lines != len(row.want) {
				t.Errorf("%d mistakes, want %d: %v", lines, len(row.want), err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, without %q", err, want)
				}
			}
			if list := s.Checks(); len(list) != 1 || list[0].Check.Name != "good" {
				t.Errorf("the checks are %+v", list)
			}
		})
	}
}

var checkRows = []struct {
	name   string
	checks []schedule.Check
	want   []string
}{
	{"the least", []schedule.Check{{Name: "c", Command: "x", Interval: time.Second}, {Name: "d", Command: "x", Cron: "@hourly"}}, nil},
	{"the most", []schedule.Check{{Name: strings.Repeat("ä", 128), Command: "x", Interval: schedule.MaxInterval, Splay: schedule.MaxInterval, Time: schedule.MaxInterval, RetryInterval: schedule.MaxInterval, MaxAttempts: schedule.MaxAttempts}}, nil},
	{"nothing", []schedule.Check{{}}, []string{`check "": the name must have 1 to 128 characters`, "has no command", "has neither interval nor cron"}},
	{"two of one name", []schedule.Check{each("c", time.Minute), each("c", time.Hour)}, []string{`check "c": is there twice; give one of the two another name`}},
	{"a long name", []schedule.Check{each(strings.Repeat("x", 129), time.Minute)}, []string{"1 to 128 characters"}},
	{"a name that controls", []schedule.Check{each("a\nb", time.Minute)}, []string{`check "a\nb": the name must`}},
	{"both", []schedule.Check{{Name: "c", Command: "x", Interval: time.Minute, Cron: "@daily"}}, []string{"has both interval and cron; keep one"}},
	{"a short interval", []schedule.Check{each("c", time.Second-1)}, []string{"interval 999.999999ms is not within 1s and"}},
	{"a negative interval", []schedule.Check{each("c", -time.Second)}, []string{"interval -1s is not within"}},
	{"a long interval", []schedule.Check{each("c", schedule.MaxInterval+1)}, []string{"is not within 1s and 8784h0m0s"}},
	{"a long splay", []schedule.Check{{Name: "c", Command: "x", Interval: time.Minute, Splay: time.Hour}}, []string{"splay 1h0m0s is longer than the interval, 1m0s"}},
	{"negatives", []schedule.Check{{Name: "c", Command: "x", Cron: "@daily", Splay: -1, Time: -1, RetryInterval: -1, MaxAttempts: -1}},
		[]string{"splay -1ns is not", "time -1ns is not", "retry_interval -1ns is not", "max_check_attempts -1 is not within 1 and 1000"}},
	{"mistakes of several", []schedule.Check{each("c", 0), {Name: "d", Interval: time.Minute}}, []string{`check "c": has neither`, `check "d": has no command`}},
	{"no expression", []schedule.Check{{Name: "c", Command: "x", Cron: "daily"}}, []string{`check c: cron "daily": expected exactly 5 fields`}},
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s := schedule.New(schedule.Config{})
	if err := s.Set([]schedule.Check{{Name: "a", Command: "x", Interval: 30 * time.Second}, {Name: "b", Command: "x", Interval: time.Hour}, {Name: "c", Command: "x", Cron: "@daily"}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []schedule.Check{
		{Name: "a", Command: "x", Interval: 30 * time.Second, Splay: 30 * time.Second, Time: time.Minute, RetryInterval: 30 * time.Second, MaxAttempts: 3},
		{Name: "b", Command: "x", Interval: time.Hour, Splay: time.Hour, Time: time.Minute, RetryInterval: time.Minute, MaxAttempts: 3},
		{Name: "c", Command: "x", Cron: "@daily", Time: time.Minute, RetryInterval: time.Minute, MaxAttempts: 3},
	} {
		if got := s.Checks()[i].Check; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}
