package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

// DefaultTimeout is the time limit of a check that is given none: a second less
// than the agent's own limit on a run, so that it is the check that answers.
const DefaultTimeout = 9 * time.Second

// A Plugin is a check as a program.
type Plugin struct {
	// Name is the program's name, such as "check_http". The answer begins with
	// it and the state: "HTTP OK: ".
	Name string
	// Version is what -V shows.
	Version string
	// About says in the help what the check does; it continues the name.
	About string
	// Usage is the command line without the name, such as "-H HOST [-p PORT]".
	Usage string
	// Options are the options of the command line. The plugin itself adds
	// -h, -V and -t.
	Options []Option
	// Words takes the words of the command line that are not options. Where it
	// is nil such a word is a mistake.
	Words func(words []string) error
	// Late is the state when the time given by -t is over; the zero State is
	// UNKNOWN. A check of a server says CRITICAL, as the Monitoring Plugins do.
	Late check.State
	// Check finds the answer. ctx ends with the time given by -t. An error means
	// that the check could not be run, and is UNKNOWN.
	Check func(ctx context.Context) (check.Result, error)
}

// Main runs the plugin as this process: it reads the process's arguments, prints
// the answer and exits with its state. It does not return.
func (p Plugin) Main() {
	output, status := p.Run(context.Background(), os.Args[1:])
	if _, err := io.WriteString(os.Stdout, output+"\n"); err != nil {
		os.Exit(check.StateUnknown.ExitStatus())
	}
	os.Exit(status)
}

// Run runs the plugin with arguments, and returns what it prints, without the
// last newline, and its exit status. A mistake in the arguments, -h and -V are
// UNKNOWN, as they are of the Monitoring Plugins; so are a panic of Check and
// an error that it returns.
func (p Plugin) Run(ctx context.Context, args []string) (output string, status int) {
	timeout, help, version := DefaultTimeout, false, false
	p.Options = append(p.Options[:len(p.Options):len(p.Options)],
		Option{'t', "timeout", "SECONDS", "give up after this time, " + p.Late.String() + " (default: 9)", Into(&timeout, Seconds)},
		Option{'V', "version", "", "print the version", True(&version)},
		Option{'h', "help", "", "print this help", True(&help)},
	)
	words, err := parse(p.Options, args)
	unknown := check.StateUnknown.ExitStatus()
	switch {
	case help:
		return p.help(), unknown
	case version:
		return p.Name + " " + p.Version, unknown
	case err == nil:
		err = p.words(words)
	}
	if err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		return check.Encode(check.Result{Text: fmt.Sprintf("%s: %s; see %s --help", p.Name, text, p.Name)}), unknown
	}
	return p.encode(p.answer(ctx, timeout))
}

// encode is what the plugin prints for a result, and its exit status.
func (p Plugin) encode(r check.Result) (output string, status int) {
	r.Text = fmt.Sprintf("%s %s: %s", p.label(), r.State, r.Text)
	return check.Encode(r), r.State.ExitStatus()
}

// words hands over the words that are not options.
func (p Plugin) words(words []string) error {
	if p.Words != nil {
		return p.Words(words)
	}
	if len(words) > 0 {
		return fmt.Errorf("unexpected %.60q", words[0])
	}
	return nil
}

// Seconds reads a time in seconds, above zero.
func Seconds(s string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(s, 64)
	d := time.Duration(seconds * float64(time.Second))
	if err != nil || d <= 0 || seconds > 1e9 {
		return 0, fmt.Errorf("%.40q is no time in seconds; want a number above 0", s)
	}
	return d, nil
}

// label is the name that begins the answer.
func (p Plugin) label() string { return strings.ToUpper(strings.TrimPrefix(p.Name, "check_")) }

func (p Plugin) help() string {
	return fmt.Sprintf("%s %s\n\n%s %s.\n\nUsage: %s %s\n\n%s", p.Name, p.Version, p.Name, p.About, p.Name, p.Usage,
		strings.TrimSuffix(describe(p.Options), "\n"))
}

// answer runs the check for some time at most.
func (p Plugin) answer(ctx context.Context, timeout time.Duration) check.Result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return p.until(ctx, timeout)
}

// until runs the check until ctx ends, which it does after timeout. A check that does
// not watch its context is left behind then.
func (p Plugin) until(ctx context.Context, timeout time.Duration) check.Result {
	answered := make(chan check.Result, 1)
	go func() { answered <- p.check(ctx, timeout) }()
	select {
	case r := <-answered:
		return r
	case <-ctx.Done():
		return p.late(timeout)
	}
}

// check calls Check, and makes a Result of whatever comes of it.
func (p Plugin) check(ctx context.Context, timeout time.Duration) (r check.Result) {
	defer func() {
		if v := recover(); v != nil {
			r = check.Result{Text: fmt.Sprint("panic: ", v), Long: string(debug.Stack())}
		}
	}()
	r, err := p.Check(ctx)
	switch {
	case err == nil:
		return r
	case TimedOut(err):
		return p.late(timeout)
	}
	return check.Unknown(err)
}

func (p Plugin) late(timeout time.Duration) check.Result {
	return check.Result{State: p.Late, Text: fmt.Sprintf("no answer within %g seconds", timeout.Seconds())}
}

// TimedOut tells whether an error means that the time of the check was over.
func TimedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
