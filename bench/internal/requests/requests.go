//go:build linux

// Package requests measures the whole way of a request: the agent and Debian's own nrpe
// side by side, as processes that answer on loopback.
//
// It needs Debian's packages nagios-nrpe-server and nagios-nrpe-plugin. Both servers
// show the same certificate and answer at the same time, so that what else the machine
// does troubles both. Everything that it starts ends with it.
package requests

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/report"
)

// A plan is what a run measures, and for how long.
type plan struct {
	source    string        // the directory of the project
	nrpe      string        // Debian's server
	checkNRPE string        // its client
	time      time.Duration // how long each server is asked at a time
	rounds    int           // how many times each server is asked
	spawns    int           // how many times check_nrpe is started for each
	scheduled int           // checks that the agent runs by itself
	period    time.Duration // how long it does
	modules   int           // modules that it starts with
	starts    int           // how many times
	clients   []int         // how many ask at a time
}

// limit is the longest that a run may take.
const limit = 15 * time.Minute

// parse makes a plan of a command line.
func parse(args []string, stderr io.Writer) (plan, error) {
	p := plan{clients: []int{1, 4, 64}}
	flags := flag.NewFlagSet("requests", flag.ContinueOnError)
	flags.SetOutput(stderr)
	quick := flags.Bool("quick", false, "see whether it all works: the figures mean nothing")
	flags.StringVar(&p.source, "source", "..", "the `DIRECTORY` of the project")
	flags.StringVar(&p.nrpe, "nrpe", "/usr/sbin/nrpe", "Debian's server, a `FILE`")
	flags.StringVar(&p.checkNRPE, "check-nrpe", "/usr/lib/nagios/plugins/check_nrpe", "its client, a `FILE`")
	flags.DurationVar(&p.time, "time", 1200*time.Millisecond, "how long each server is asked at a time")
	flags.IntVar(&p.rounds, "rounds", 3, "how many times each server is asked")
	flags.IntVar(&p.spawns, "spawns", 50, "how many times check_nrpe is started for each server and check")
	flags.IntVar(&p.scheduled, "scheduled", 1000, "how many checks the agent runs by itself")
	flags.DurationVar(&p.period, "period", 40*time.Second, "how long the agent runs checks by itself")
	flags.IntVar(&p.modules, "modules", 100, "how many modules the agent starts with")
	flags.IntVar(&p.starts, "starts", 5, "how many times each server is started")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if *quick {
		p.time, p.rounds, p.spawns = 100*time.Millisecond, 1, 2
		p.period, p.modules, p.starts, p.clients = 2*time.Second, 10, 1, []int{1, 4, 16}
	}
	return p, p.check(flags.Args())
}

// check returns what is wrong with a plan, all of it.
func (p plan) check(rest []string) error {
	var errs []error
	for _, file := range []string{p.nrpe, p.checkNRPE} {
		if _, err := exec.LookPath(file); err != nil {
			errs = append(errs, fmt.Errorf("%w; apt-get install nagios-nrpe-server nagios-nrpe-plugin has it", err))
		}
	}
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("arguments %q: there are none beside the flags", rest))
	}
	if min(p.time, p.period) <= 0 || min(p.rounds, p.spawns, p.scheduled, p.modules, p.starts) <= 0 {
		errs = append(errs, errors.New("a duration or a number is not positive; everything is measured at least once"))
	}
	return errors.Join(errs...)
}

// Run measures what a command line asks for, and returns the section. Command is how
// all of it was called.
func Run(ctx context.Context, command string, args []string, stderr io.Writer) (section string, err error) {
	p, err := parse(args, stderr)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("stopped after %v", limit))
	defer cancel()
	l, err := newLab(ctx, p, stderr)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	version, _ := exec.CommandContext(ctx, l.nrpe, "--version").Output() // its exit status is 3
	found := findings{
		command:  command,
		machine:  report.Machine(),
		versions: fmt.Sprintf("wasmagent %s, Debian's nrpe %s", report.Commit(ctx, l.source), report.First(string(version), `Version: (\S+)`)),
	}
	for _, measure := range []func(context.Context, *lab, *findings) error{compare, schedule, start} {
		if err := measure(ctx, l, &found); err != nil {
			return "", err
		}
	}
	return found.markdown(), nil
}
