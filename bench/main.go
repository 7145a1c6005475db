//go:build linux

// Command bench measures the agent and Debian's own nrpe side by side, as processes
// that answer on loopback, and prints what it found in Markdown.
//
//	go run -C bench . [flags]
//
// It needs Debian's packages nagios-nrpe-server and nagios-nrpe-plugin. Both servers
// show the same certificate and answer at the same time, so that what else the machine
// does troubles both. Everything that it starts ends with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == keepCommand {
		finish(keep(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	finish(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func finish(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

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
	into      string        // a file whose section is replaced; empty prints it
}

// limit is the longest that a run may take.
const limit = 15 * time.Minute

// parse makes a plan of a command line.
func parse(args []string, stderr io.Writer) (plan, error) {
	p := plan{clients: []int{1, 4, 64}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	quick := flags.Bool("quick", false, "see whether it all works: the figures mean nothing")
	flags.StringVar(&p.source, "source", "..", "the `DIRECTORY` of the project")
	flags.StringVar(&p.into, "into", "", "put the section into this `FILE` in place of the one that it has, such as ../BENCHMARKS.md")
	flags.StringVar(&p.nrpe, "nrpe", "/usr/sbin/nrpe", "Debian's server, a `FILE`")
	flags.StringVar(&p.checkNRPE, "check-nrpe", "/usr/lib/nagios/plugins/check_nrpe", "its client, a `FILE`")
	flags.DurationVar(&p.time, "time", 1500*time.Millisecond, "how long each server is asked at a time")
	flags.IntVar(&p.rounds, "rounds", 3, "how many times each server is asked")
	flags.IntVar(&p.spawns, "spawns", 50, "how many times check_nrpe is started for each server and check")
	flags.IntVar(&p.scheduled, "scheduled", 1000, "how many checks the agent runs by itself")
	flags.DurationVar(&p.period, "period", time.Minute, "how long the agent runs checks by itself")
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
	if _, err := os.Stat(p.into); p.into != "" && err != nil {
		errs = append(errs, err)
	}
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("arguments %q: there are none beside the flags", rest))
	}
	if min(p.time, p.period) <= 0 || min(p.rounds, p.spawns, p.scheduled, p.modules, p.starts) <= 0 {
		errs = append(errs, errors.New("a duration or a number is not positive; everything is measured at least once"))
	}
	return errors.Join(errs...)
}

// run measures what a command line asks for and prints it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	p, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("stopped after %v", limit))
	defer cancel()
	l, err := newLab(ctx, p, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	r := report{command: strings.TrimSpace("go run -C bench . " + strings.Join(args, " "))}
	for _, measure := range []func(context.Context, *lab, *report) error{host, compare, schedule, start} {
		if err := measure(ctx, l, &r); err != nil {
			return err
		}
	}
	return p.publish(r.markdown(), stdout)
}

// publish prints a section, or replaces that of a file.
func (p plan) publish(section string, stdout io.Writer) error {
	if p.into == "" {
		_, err := io.WriteString(stdout, section)
		return err
	}
	document, err := os.ReadFile(p.into)
	if err != nil {
		return err
	}
	text, err := replaced(string(document), section)
	if err != nil {
		return fmt.Errorf("%s: %w", p.into, err)
	}
	return os.WriteFile(p.into, []byte(text), 0o644)
}
