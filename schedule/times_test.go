package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/schedule"
)

// The rows say when a cron expression is true from a time on, in a place.
var cronRows = []struct{ name, place, cron, from, want string }{
	{"each minute", "UTC", "* * * * *", "2026-01-01 00:00", "00:01+0000 00:02+0000 00:03+0000"},
	{"names and lists", "UTC", "30 8,18 * jan-feb mon-fri", "2026-01-02 12:00", "18:30+0000 08:30+0000 18:30+0000"},
	{"either day", "UTC", "0 0 13 * fri", "2026-02-10 00:00", "00:00+0000 00:00+0000 00:00+0000"},
	{"hourly", "UTC", "@hourly", "2026-01-01 00:30", "01:00+0000 02:00+0000 03:00+0000"},
	{"in another place", "UTC", "CRON_TZ=Asia/Kolkata 0 6 * * *", "2026-01-01 00:00", "00:30+0000 00:30+0000 00:30+0000"},

	// At 02:00 on 2026-03-29 clocks in Berlin are set to 03:00, and at 03:00 on
	// 2026-10-25 to 02:00; in New York it is 2026-03-08 and 2026-11-01, and what is
	// repeated is the hour after 01:00. Lord Howe moves by half an hour, and Cairo
	// skips the hour after midnight, of 2026-04-24.
	{"skipped", "Europe/Berlin", "30 2 * * *", "2026-03-28 00:00", "02:30+0100 03:00+0200 02:30+0200"},
	{"skipped, twice", "Europe/Berlin", "30 2,3 * * *", "2026-03-28 12:00", "03:00+0200 03:30+0200 02:30+0200"},
	{"skipped, at its end", "Europe/Berlin", "0 2,3 * * *", "2026-03-28 12:00", "03:00+0200 02:00+0200 03:00+0200"},
	{"skipped, every other hour", "Europe/Berlin", "0 */2 * * *", "2026-03-29 00:00", "03:00+0200 04:00+0200 06:00+0200"},
	{"skipped, in each hour", "Europe/Berlin", "30 * * * *", "2026-03-29 00:45", "01:30+0100 03:30+0200 04:30+0200"},
	{"skipped, often", "Europe/Berlin", "*/20 1-3 * * *", "2026-03-29 01:30", "01:40+0100 03:00+0200 03:20+0200"},
	{"skipped midnight", "Africa/Cairo", "15 0 * * *", "2026-04-23 12:00", "01:00+0300 00:15+0300 00:15+0300"},
	{"skipped day", "Africa/Cairo", "@daily", "2026-04-23 12:00", "01:00+0300 00:00+0300 00:00+0300"},
	{"half an hour skipped", "Australia/Lord_Howe", "15 2 * * *", "2026-10-03 12:00", "02:30+1100 02:15+1100 02:15+1100"},

	{"repeated", "Europe/Berlin", "30 2 * * *", "2026-10-24 12:00", "02:30+0200 02:30+0100 02:30+0100"},
	{"repeated, after it", "Europe/Berlin", "0 3 * * *", "2026-10-25 00:00", "03:00+0100 03:00+0100 03:00+0100"},
	{"repeated, every other hour", "Europe/Berlin", "0 */2 * * *", "2026-10-25 00:30", "02:00+0200 04:00+0100 06:00+0100"},
	{"repeated, in each hour", "Europe/Berlin", "30 * * * *", "2026-10-25 01:45", "02:30+0200 02:30+0100 03:30+0100"},
	{"repeated, often", "Europe/Berlin", "*/30 2 * * *", "2026-10-25 01:45", "02:00+0200 02:30+0200 02:00+0100"},
	{"repeated overseas", "America/New_York", "30 1 * * *", "2026-10-31 12:00", "01:30-0400 01:30-0500 01:30-0500"},
	{"half an hour repeated", "Australia/Lord_Howe", "45 1 * * *", "2026-04-04 12:00", "01:45+1100 01:45+1030 01:45+1030"},
}

func TestCron(t *testing.T) {
	t.Parallel()
	for _, row := range cronRows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			place, err := time.LoadLocation(row.place)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.ParseInLocation("2006-01-02 15:04", row.from, place)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for range 3 {
				next := due(t, schedule.Check{Cron: row.cron}, "host", at)
				if !next.After(at) || next.Location() != place {
					t.Fatalf("after %v comes %v", at, next)
				}
				at = next
				got = append(got, at.Format("15:04-0700"))
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("after %s it is %s, want %s", row.from, got, row.want)
			}
		})
	}
}

// A time in the second of two hours of the same name is not one more of the first.
func TestCronWithinARepeatedHour(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	second := time.Date(2026, 10, 25, 1, 10, 0, 0, time.UTC).In(berlin) // 02:10 again
	same(t, "the hour", second.Format("15:04-07"), "02:10+01")
	next := due(t, schedule.Check{Cron: "30 2 * * *"}, "host", second)
	same(t, "the time after it", next.Format("2006-01-02 15:04-07"), "2026-10-26 02:30+01")
}

// due is when a check is due after a time.
func due(t testing.TB, c schedule.Check, machine string, after time.Time) time.Time {
	t.Helper()
	c.Name, c.Command = "c", "c"
	s := schedule.New(schedule.Config{Now: func() time.Time { return after }}).On(machine)
	if err := s.Set([]schedule.Check{c}); err != nil {
		t.Fatal(err)
	}
	return s.Checks()[0].Next
}

var badCron = []struct{ cron, want string }{
	{" ", "is empty; write five fields"},
	{"* * * *", "expected exactly 5 fields"},
	{"0 * * * * *", "expected exactly 5 fields"},
	{"60 * * * *", "above maximum"},
	{"* * 30 2 *", "there is no such day"},
	{"@every 1h", "write interval instead of cron"},
	{"@reboot", "unrecognized descriptor"},
	{"TZ=", "is empty"},
	{"TZ=Europe/Berlin", "is empty"},
	{"CRON_TZ=Nowhere/Else * * * * *", "unknown time zone Nowhere/Else"},
	{"CRON_TZ=../../etc/passwd * * * * *", "time"},
	{"TZ=UTC TZ=UTC", "names two time zones"},
	{"CRON_TZ=UTC CRON_TZ=UTC * * * * *", "names two time zones"},
}

func TestBadCronExpressions(t *testing.T) {
	t.Parallel()
	for _, row := range badCron {
		err := schedule.Validate([]schedule.Check{{Name: "c", Command: "c", Cron: row.cron}})
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "check c: cron ") {
			t.Errorf("%q: %v, want %q", row.cron, err, row.want)
		}
	}
}

// Machines run a check at times of their own, over all of the splay; each always at
// the same.
func TestSplay(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		check schedule.Check
		span  time.Duration
		next  time.Duration
	}{
		"the interval":     {schedule.Check{Interval: 5 * time.Minute}, 5 * time.Minute, 5 * time.Minute},
		"a part of it":     {schedule.Check{Interval: 5 * time.Minute, Splay: time.Minute}, time.Minute, 5 * time.Minute},
		"after midnight":   {schedule.Check{Cron: "@daily", Splay: time.Hour}, time.Hour, 24 * time.Hour},
		"exactly midnight": {schedule.Check{Cron: "@daily"}, 1, 24 * time.Hour},
	} {
		tenths := map[time.Duration]int{}
		for i := range 1000 {
			machine := fmt.Sprintf("web%04d.example.com", i)
			first := due(t, row.check, machine, begin.Add(-1))
			if again := due(t, row.check, machine, begin.Add(-1)); again != first {
				t.Errorf("%s, %s: at %v, and at %v", name, machine, first, again)
			}
			if second := due(t, row.check, machine, first); second.Sub(first) != row.next {
				t.Errorf("%s, %s: at %v, then at %v", name, machine, first, second)
			}
			phase := first.Sub(begin)
			if phase < 0 || phase >= row.span {
				t.Errorf("%s, %s: %v after the time", name, machine, phase)
			}
			tenths[10*phase/row.span]++
		}
		for tenth := range time.Duration(10) {
			if n := tenths[tenth]; row.span > 1 && (n < 60 || n > 150) {
				t.Errorf("%s: %d of 1000 are in tenth %d", name, n, tenth)
			}
		}
	}
}

// FuzzCron wants every expression refused, or its times in order, whatever clocks do.
func FuzzCron(f *testing.F) {
	for _, row := range cronRows {
		f.Add(row.cron, row.place, int64(1_774_700_000))
	}
	for _, row := range badCron {
		f.Add(row.cron, "Europe/Berlin", int64(1_792_900_000))
	}
	f.Fuzz(func(t *testing.T, cron, place string, seconds int64) {
		location, err := time.LoadLocation(place)
		if err != nil || seconds < -1<<34 || seconds > 1<<34 {
			return
		}
		c := schedule.Check{Name: "c", Command: "c", Cron: cron}
		if schedule.Validate([]schedule.Check{c}) != nil {
			return
		}
		at := time.Unix(seconds, 0).In(location)
		for range 5 {
			next := due(t, c, "host", at)
			if next.IsZero() {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q: after %v comes %v", cron, at, next)
			}
			at = next
		}
	})
}
