package schedule

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The defaults of a Check.
const (
	DefaultTime          = time.Minute
	DefaultRetryInterval = time.Minute // or the Interval, if that is shorter
	DefaultMaxAttempts   = 3
)

// FirstWithin is how soon after it is scheduled a check with a longer interval is
// due for the first time.
const FirstWithin = 5 * time.Minute

// The bounds of a Check.
const (
	MinInterval = time.Second
	MaxInterval = 366 * 24 * time.Hour
	MaxAttempts = 1000
)

// A Check is one command line that is run at its times. It has either an
// Interval or a Cron expression; the other zeros are the defaults.
type Check struct {
	// Name is what people and subscribers call the check, unique among them: 1
	// to 128 characters without control characters.
	Name string
	// Command is the command to run, with Args.
	Command string
	Args    []string
	// Interval is the time from one run to the next, a second at least.
	Interval time.Duration
	// Cron says when to run in the five fields of crontab(5), or as @hourly,
	// @daily, @weekly, @monthly or @yearly. "CRON_TZ=Europe/Paris " may stand
	// before it.
	Cron string
	// Splay is the span over which machines spread the check: each runs it at
	// its own time in there, always the same. The default is the Interval, and of
	// a Cron expression it is none.
	Splay time.Duration
	// Time is the longest that a run may take.
	Time time.Duration
	// RetryInterval is the time from the end of a run that found a soft problem
	// to the next one.
	RetryInterval time.Duration
	// MaxAttempts is how many runs in a row must find a problem before it is a
	// hard one.
	MaxAttempts int
}

// A plan is a valid Check, its defaults filled in, with its times.
type plan struct {
	Check
	times func(after time.Time) time.Time // the first one after; zero if there is none
	phase time.Duration                   // what this machine adds to the times
}

// sameTimes tells whether another check has the same times.
func (p plan) sameTimes(c Check) bool {
	return p.Interval == c.Interval && p.Cron == c.Cron && p.Splay == c.Splay
}

// Validate says what is wrong with checks, as the error of Set does.
func Validate(checks []Check) error {
	_, err := planAll(checks, "")
	return err
}

// planAll returns the plans of checks by name, or all that is wrong with them.
func planAll(checks []Check, machine string) (map[string]plan, error) {
	plans := make(map[string]plan, len(checks))
	var errs []error
	for _, c := range checks {
		p, err := c.plan(machine)
		if _, twice := plans[c.Name]; twice {
			err = errors.Join(err, fmt.Errorf("check %.80q: is there twice; give one of the two another name", c.Name))
		}
		plans[c.Name] = p
		errs = append(errs, err)
	}
	return plans, errors.Join(errs...)
}

// plan fills in the defaults and finds the times.
func (c Check) plan(machine string) (plan, error) {
	if err := c.check(); err != nil {
		return plan{}, err
	}
	c.Time = cmp.Or(c.Time, DefaultTime)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, DefaultMaxAttempts)
	if c.Cron != "" {
		c.RetryInterval = cmp.Or(c.RetryInterval, DefaultRetryInterval)
		phase := spread(machine, c.Name, c.Splay)
		times, err := cronTimes(c.Cron, phase)
		if err != nil {
			return plan{}, fmt.Errorf("check %s: cron %.80q: %w", c.Name, c.Cron, err)
		}
		return plan{c, times, phase}, nil
	}
	c.Splay = cmp.Or(c.Splay, c.Interval)
	c.RetryInterval = cmp.Or(c.RetryInterval, min(c.Interval, DefaultRetryInterval))
	phase := spread(machine, c.Name, c.Splay)
	return plan{c, every(c.Interval, phase), phase}, nil
}

// isName tells whether a check can have a name.
func isName(name string) bool {
	n := utf8.RuneCountInString(name)
	return utf8.ValidString(name) && n > 0 && n <= 128 && !strings.ContainsFunc(name, unicode.IsControl)
}

// check lists what is wrong with what a person wrote.
func (c Check) check() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf("check %.80q: %w", c.Name, fmt.Errorf(format, args...)))
		}
	}
	wrong(!isName(c.Name), "the name must have 1 to 128 characters and no control characters")
	wrong(c.Command == "", "has no command; say which command it runs")
	wrong(c.Interval == 0 && c.Cron == "", `has neither interval nor cron; say when it runs, as in interval = "5m"`)
	wrong(c.Interval != 0 && c.Cron != "", "has both interval and cron; keep one")
	wrong(c.Interval != 0 && (c.Interval < MinInterval || c.Interval > MaxInterval), "interval %v is not within %v and %v", c.Interval, MinInterval, MaxInterval)
	wrong(c.Splay < 0 || c.Splay > MaxInterval, "splay %v is not within 0s and %v", c.Splay, MaxInterval)
	wrong(c.Interval > 0 && c.Splay > c.Interval, "splay %v is longer than the interval, %v; make it at most that", c.Splay, c.Interval)
	wrong(c.Time < 0 || c.Time > MaxInterval, "time %v is not within 0s and %v", c.Time, MaxInterval)
	wrong(c.RetryInterval != 0 && (c.RetryInterval < MinInterval || c.RetryInterval > MaxInterval), "retry_interval %v is not within %v and %v", c.RetryInterval, MinInterval, MaxInterval)
	wrong(c.MaxAttempts < 0 || c.MaxAttempts > MaxAttempts, "max_check_attempts %d is not within 1 and %d", c.MaxAttempts, MaxAttempts)
	return errors.Join(errs...)
}

// spread is the part of the span at which a machine runs a check: the same each
// time, and of many machines all over it.
func spread(machine, name string, span time.Duration) time.Duration {
	if span <= 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(machine + "\x00" + name))
	return time.Duration(mix(h.Sum64()) % uint64(span))
}

// mix makes every bit of a sum depend on all of its bits, as FNV's high ones do
// not for names that differ in their last character. These are the steps of
// SplitMix64. https://prng.di.unimi.it/splitmix64.c
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
