package providers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/runtime"
)

// A script is a command: it fills in the command line, runs it, and reads the
// answer.
type script struct {
	command []string
	run     runFunc
	meaning func(status int64) string // of a status outside of 0-3; nil for none
}

// A runFunc runs a script with its argument vector and its standard input.
type runFunc func(ctx context.Context, argv []string, input []byte) (runtime.Output, error)

// Run answers with what the script says, or with UNKNOWN for a script that did
// not come to say it. A script that could not be started is an error.
func (s script) Run(ctx context.Context, req check.Request) (check.Result, error) {
	argv, err := Expand(s.command, req.Args)
	if err != nil {
		return check.Result{}, err
	}
	out, err := s.run(ctx, argv, req.Input)
	if stop, ok := errors.AsType[stopError](err); ok {
		return stopped(stop, out), nil
	}
	if err != nil {
		return check.Result{Usage: out.Usage}, err
	}
	return s.answer(out), nil
}

// A stopError is why a script that was running did not end by itself.
type stopError struct{ reason error }

func (e stopError) Error() string { return e.reason.Error() }

// errNUL refuses arguments that no process and no program can be handed.
var errNUL = errors.New("an argument holds a NUL character; leave it out")

// stopped is the Result of a script that gave no answer, with the line of its
// standard error that says most.
func stopped(stop stopError, out runtime.Output) check.Result {
	if line := goCrash(out.Stderr); line != "" && errors.As(stop.reason, new(*runtime.Trap)) {
		return crashed(line, check.Decode(out.Stdout, int64(check.StateUnknown.ExitStatus())), out) // a reactor in Go
	}
	return check.Result{State: check.StateUnknown, Text: join(stop.reason.Error(), telling(out.Stderr)), Usage: out.Usage}
}

// answer reads what a script said that ended by itself.
func (s script) answer(out runtime.Output) check.Result {
	status := int64(check.StateUnknown.ExitStatus())
	if out.Usage.ExitStatus != nil {
		status = *out.Usage.ExitStatus
	}
	result := check.Decode(out.Stdout, status)
	result.Usage = out.Usage
	if line := crash(status, out.Stderr); line != "" {
		return crashed(line, result, out)
	}
	_, known := check.StateOf(status)
	if !known && s.meaning != nil {
		result.Text = join(result.Text, s.meaning(status))
	}
	if !known || len(bytes.TrimSpace(out.Stdout)) == 0 {
		result.State, result.Text = check.StateUnknown, join(result.Text, telling(out.Stderr))
	}
	return result
}

// crashed is the Result of a script that died of an error of its own. What it
// had printed is no answer, but may help to find out why.
func crashed(line string, printed check.Result, out runtime.Output) check.Result {
	result := check.Result{State: check.StateUnknown, Text: "the script crashed: " + line, Usage: out.Usage}
	if len(bytes.TrimSpace(out.Stdout)) > 0 {
		result.Long = strings.Trim(printed.Text+"\n"+printed.Long, "\n")
	}
	return result
}

// crash tells from what Go and Python print when they give up that an exit
// status which reads as WARNING or CRITICAL is none. It returns the line that
// says why, empty if the script did not crash.
func crash(status int64, stderr []byte) string {
	switch {
	case status == 2:
		return goCrash(stderr)
	case status == 1 && bytes.Contains(stderr, []byte("Traceback (most recent call last):\n")):
		return telling(stderr)
	}
	return ""
}

// goCrash is the line with which a program in Go says why it gave up, empty if it
// did not.
func goCrash(stderr []byte) string {
	if !bytes.Contains(stderr, []byte("\ngoroutine ")) {
		return ""
	}
	return lineWith(stderr, "panic: ", "fatal error: ")
}

// lineWith returns the first line that begins with one of the prefixes.
func lineWith(text []byte, prefixes ...string) string {
	for line := range bytes.Lines(text) {
		for _, prefix := range prefixes {
			if bytes.HasPrefix(line, []byte(prefix)) {
				return printable(line)
			}
		}
	}
	return ""
}

// telling is the line of a standard error that says most: the last one of
// Python's tracebacks, the first one of everything else.
func telling(stderr []byte) string {
	stderr = bytes.TrimSpace(stderr)
	if bytes.Contains(stderr, []byte("Traceback (most recent call last):\n")) {
		return printable(stderr[bytes.LastIndexByte(stderr, '\n')+1:])
	}
	line, _, _ := bytes.Cut(stderr, []byte("\n"))
	return printable(line)
}

// maxLine is the most bytes of a line of standard error that a Result takes up.
const maxLine = 512

// printable makes a script's line fit for one line of a Result.
func printable(line []byte) string {
	line = bytes.TrimSpace(line)
	if len(line) > maxLine {
		line = append(line[:maxLine:maxLine], "..."...)
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(line), "\uFFFD"))
}

// join puts a detail behind a text, if there is one.
func join(text, detail string) string {
	if text == "" || detail == "" {
		return text + detail
	}
	return text + ": " + detail
}

// A gate lets a bounded number of runs of one module through at one time.
type gate struct {
	module  string
	most    int64
	running atomic.Int64
}

func newGate(module string, runs int) *gate { return &gate{module: module, most: int64(max(1, runs))} }

// guard answers at once with an error while the gate is full.
func (g *gate) guard(next check.Runner) check.Runner {
	return check.RunnerFunc(func(ctx context.Context, req check.Request) (check.Result, error) {
		defer g.running.Add(-1)
		if g.running.Add(1) > g.most {
			return check.Result{}, fmt.Errorf("module %s has %d checks running, which is its limit; ask again later, or raise limits.runs of the module", g.module, g.most)
		}
		return next.Run(ctx, req)
	})
}
