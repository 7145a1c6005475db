//go:build linux

// Package checks measures a run of a check by itself: in the sandbox, through the agent's
// dispatcher, and beside it the same check as a process, in wazero alone and in Extism.
//
// Every check in every way has processes of its own, workers, pinned to one processor or
// to two. They run in turn, in many short rounds, so that what else the machine does
// troubles all of them. A figure is the median of the rounds, a ratio that of two figures.
package checks

import (
	"context"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/report"
	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// Work is a worker that runs checks in every way but Extism, which has one of its own.
func Work(orders io.Reader, answers io.Writer) error {
	return worker.Work(map[string]worker.Open{"sandbox": openSandbox, "process": openProcess, "wazero": openWazero}, orders, answers)
}

// A plan is what is measured, and for how long.
type plan struct {
	source   string        // the directory of the project
	chart    string        // the file of the picture; empty draws none
	time     time.Duration // of each check in each round
	rounds   int
	modules  []int          // how many are loaded
	only     *regexp.Regexp // what is measured, by the names of the subjects
	starts   int            // how many times
	metering time.Duration  // how long each example check is run
}

// limit is the longest that a run may take.
const limit = 30 * time.Minute

// parse makes a plan of a command line.
func parse(args []string, stderr io.Writer) (plan, error) {
	p := plan{modules: []int{1, 10, 100, 1000}, metering: 500 * time.Millisecond}
	flags := flag.NewFlagSet("checks", flag.ContinueOnError)
	flags.SetOutput(stderr)
	quick := flags.Bool("quick", false, "see whether it all works: the figures mean little")
	flags.StringVar(&p.source, "source", "..", "the `DIRECTORY` of the project")
	flags.StringVar(&p.chart, "chart", "", "draw the chart into this `FILE`, such as checks.svg")
	flags.DurationVar(&p.time, "time", 60*time.Millisecond, "how long each check is run in each round, on one processor and on two")
	flags.IntVar(&p.rounds, "rounds", 16, "how many rounds there are")
	flags.IntVar(&p.starts, "starts", 3, "how many times each is started")
	p.only = regexp.MustCompile("")
	flags.Func("only", "measure only what this `REGEXP` matches, such as \"SDK|smallest, process\"", func(text string) (err error) {
		p.only, err = regexp.Compile(text)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if *quick {
		p.time, p.rounds, p.starts, p.modules, p.metering = 30*time.Millisecond, 7, 1, []int{1, 3}, 50*time.Millisecond
	}
	return p, p.check(flags.Args())
}

// check returns what is wrong with a plan, all of it.
func (p plan) check(rest []string) error {
	var errs []error
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("arguments %q: there are none beside the flags", rest))
	}
	if p.time <= 0 || min(p.rounds, p.starts) <= 0 {
		errs = append(errs, errors.New("a duration or a number is not positive; everything is measured at least once"))
	}
	return errors.Join(errs...)
}

// A lab is where a run measures: a directory that is removed in the end.
type lab struct {
	plan
	dir      string
	python   string // the interpreter itself, not a script that starts it
	progress io.Writer
	began    time.Time
}

// file is a path in the lab.
func (l *lab) file(name string) string { return filepath.Join(l.dir, name) }

// say tells what is measured now, with the seconds since the start.
func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(l.progress, "%4.0f s: %s\n", time.Since(l.began).Seconds(), fmt.Sprintf(format, args...))
}

// Run measures what a command line asks for, and returns the section. Command is how all
// of it was called.
func Run(ctx context.Context, command string, args []string, stderr io.Writer) (section string, err error) {
	p, err := parse(args, stderr)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("stopped after %v", limit))
	defer cancel()
	l := &lab{plan: p, progress: stderr, began: time.Now()}
	if l.dir, err = os.MkdirTemp("", "wasmagent-bench-"); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(l.dir)) }()
	if err := l.build(ctx); err != nil {
		return "", err
	}
	found := &findings{command: command, machine: report.Machine(), versions: l.versions(ctx), subjects: l.chosen()}
	for _, measure := range []func(context.Context, *lab) error{found.start, found.weigh, found.race, found.meter} {
		if err := measure(ctx, l); err != nil {
			return "", err
		}
	}
	return found.section(p.chart)
}

// versions are those of what is measured.
func (l *lab) versions(ctx context.Context) string {
	text := "wasmagent " + report.Commit(ctx, l.source)
	self, _ := debug.ReadBuildInfo()
	extism, err := buildinfo.ReadFile(l.file("extism"))
	if err != nil || self == nil {
		return text
	}
	return fmt.Sprintf("%s with wazero %s, Extism's Go SDK %s with wazero %s, which it asks for", text,
		version(self, "github.com/tetratelabs/wazero"), version(extism, "github.com/extism/go-sdk"), version(extism, "github.com/tetratelabs/wazero"))
}

// version is that of a library in a program; empty if the program does not say.
func version(program *debug.BuildInfo, library string) string {
	for _, d := range program.Deps {
		if d.Path == library && d.Replace != nil {
			return d.Replace.Version
		}
		if d.Path == library {
			return d.Version
		}
	}
	return ""
}
