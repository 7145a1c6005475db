package schedule

import (
	"errors"
	"math/bits"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// every returns the times that are whole intervals after the Unix epoch, each
// later by phase.
func every(interval, phase time.Duration) func(after time.Time) time.Time {
	return func(after time.Time) time.Time {
		since := time.Duration(after.UnixNano()) - phase
		past := since % interval
		if past < 0 {
			past += interval
		}
		return after.Add(interval - past)
	}
}

// cronTimes returns the times of a cron expression, each later by phase, in the
// location of the time that is asked about.
func cronTimes(expression string, phase time.Duration) (func(after time.Time) time.Time, error) {
	spec, err := parseCron(expression)
	if err != nil {
		return nil, err
	}
	if spec.next(time.Unix(0, 0)).IsZero() {
		return nil, errors.New("there is no such day; correct the day of the month or the month")
	}
	return func(after time.Time) time.Time {
		next := spec.next(after.Add(-phase))
		if next.IsZero() {
			return next
		}
		return next.Add(phase)
	}, nil
}

// A cronSpec is a cron expression.
type cronSpec struct {
	fields   *cron.SpecSchedule // in UTC, so that no clock change meets it
	location *time.Location     // nil is that of the time that is asked about
	frequent bool               // more than once an hour, or in every hour
}

func parseCron(expression string) (cronSpec, error) {
	location, fields, err := cutLocation(strings.TrimSpace(expression))
	if err != nil {
		return cronSpec{}, err
	}
	switch { // which the parser would make less of
	case fields == "":
		return cronSpec{}, errors.New(`is empty; write five fields, such as "*/5 * * * *"`)
	case strings.Contains(fields, "="):
		return cronSpec{}, errors.New("names two time zones; keep one")
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(fields)
	if err != nil {
		return cronSpec{}, err
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return cronSpec{}, errors.New("@every is no time of the day; write interval instead of cron")
	}
	spec.Location = time.UTC
	const everyHour = 1<<24 - 1
	frequent := bits.OnesCount64(spec.Minute&(1<<60-1)) > 1 || spec.Hour&everyHour == everyHour
	return cronSpec{spec, location, frequent}, nil
}

// cutLocation takes the location off the head of an expression; nil if it has
// none.
func cutLocation(expression string) (*time.Location, string, error) {
	rest, has := strings.CutPrefix(strings.TrimPrefix(expression, "CRON_"), "TZ=")
	if !has {
		return nil, expression, nil
	}
	name, fields, _ := strings.Cut(rest, " ")
	location, err := time.LoadLocation(name)
	return location, strings.TrimSpace(fields), err
}

// next is the first time after another.
//
// Where clocks change, an expression that is true at most once an hour, and not
// in every hour, is so once: what is skipped with an hour comes at the end of
// it, and what is repeated with an hour does not come again. One that is true
// more often goes by the clock. This is what cron does.
// https://man7.org/linux/man-pages/man8/cron.8.html, "Daylight Saving Time and other time changes"
func (c cronSpec) next(after time.Time) time.Time {
	location := c.location
	if location == nil {
		location = after.Location()
	}
	from := after.In(location)
	clock := clockOf(from) // what the clock on the wall says
	for {
		begin, end := from.ZoneBounds()
		if !c.frequent && !begin.IsZero() {
			// Until the clock is past what it said before it was set back,
			// everything has been.
			clock = latest(clock, clockOf(begin.Add(-1)))
		}
		clock = c.fields.Next(clock)
		if clock.IsZero() {
			return clock
		}
		at := from.Add(clock.Sub(clockOf(from)))
		if end.IsZero() || at.Before(end) {
			return at.In(after.Location())
		}
		if !c.frequent && clock.Before(clockOf(end)) {
			return end.In(after.Location())
		}
		from, clock = end, clockOf(end).Add(-1)
	}
}

// clockOf is what a clock says, as if it were in a place without clock changes.
func clockOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
