package config

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/schedule"
	"github.com/wasmagent/wasmagent/strict"
)

// Schedule are the checks that the agent runs by itself, by their names.
type Schedule map[string]Check

// A Check is a command line with the times at which it is run. Zeros are the
// defaults of package schedule.
type Check struct {
	// Command is the command with its arguments.
	Command CommandLine `toml:"command"`
	// Interval is the time between two runs, or Cron says when they are. One of
	// them is set.
	Interval time.Duration `toml:"interval"`
	Cron     string        `toml:"cron"`
	// Splay is the most by which runs are delayed, so that not all are at once.
	Splay time.Duration `toml:"splay"`
	// Time is the longest that a run may take.
	Time time.Duration `toml:"time"`
	// RetryInterval is the time between two runs in a soft state.
	RetryInterval time.Duration `toml:"retry_interval"`
	// MaxAttempts are the runs after which a state is hard.
	MaxAttempts int `toml:"max_check_attempts"`
}

// A CommandLine is a command with its arguments, word by word.
type CommandLine []string

// Events says where every event is written as a line of JSON, and how much of that
// is kept.
type Events struct {
	// Path is the file; empty is none.
	Path string `toml:"path"`
	// Size is what the file may grow to before it is set aside, and Keep how many
	// such files are kept; zeros are the defaults.
	Size policy.Bytes `toml:"size"`
	Keep int          `toml:"keep"`
}

// OTLP says where metrics are pushed to.
type OTLP struct {
	// Endpoint is a URL; empty is off.
	Endpoint URL `toml:"endpoint"`
	// Headers go with every request.
	Headers Values `toml:"headers"`
	// Interval is the time between two pushes; zero is the default.
	Interval time.Duration `toml:"interval"`
	// CA are the authorities that vouch for the endpoint.
	CA CA `toml:"ca"`
}

// A URL is one of http or https.
type URL string

// schedule decodes the table of checks.
func (d *decoder) schedule(at toml.Key, value any, dst *Schedule) {
	var table map[string]any
	if !assign(d, at, value, &table, "a table") {
		return
	}
	*dst = Schedule{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		at := strict.Below(at, name)
		(*dst)[name] = d.check(at, table[name])
	}
}

// check decodes one check.
func (d *decoder) check(at toml.Key, value any) (c Check) {
	var table map[string]any
	if !assign(d, at, value, &table, "a table") {
		return c
	}
	before := d.Mistakes()
	d.table(at, table, &c)
	if d.Mistakes() > before {
		return c
	}
	if err := schedule.Validate([]schedule.Check{c.Scheduled(at[len(at)-1])}); err != nil {
		d.Each(at, err)
	}
	return c
}

// Scheduled is the check under a name as package schedule has it.
func (c Check) Scheduled(name string) schedule.Check {
	s := schedule.Check{
		Name: name, Interval: c.Interval, Cron: c.Cron, Splay: c.Splay, Time: c.Time, RetryInterval: c.RetryInterval, MaxAttempts: c.MaxAttempts,
	}
	if len(c.Command) > 0 {
		s.Command, s.Args = c.Command[0], c.Command[1:]
	}
	return s
}

// commandLine decodes a command with its arguments.
func (d *decoder) commandLine(at toml.Key, value any, dst *CommandLine) {
	var text string
	if !assign(d, at, value, &text, `a command line such as "check_cpu warn=80"`) {
		return
	}
	words, err := check.Split(text)
	if err != nil {
		d.Wrong(at, "%v", err)
	}
	*dst = words
}

func parseURL(s string, dst *URL) error {
	u, err := url.Parse(s)
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "") {
		err = errors.New("is no URL of http or https alone")
	}
	*dst = URL(s)
	return err
}
