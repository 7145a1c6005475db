package providers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers/confine"
	"github.com/wasmagent/wasmagent/runtime"
)

// A hosted script runs as a process of the host.
type hosted struct {
	plan   Plan
	home   *home
	path   []string
	cage   *confine.Cage
	limits policy.Limits
}

func (h hosted) run(ctx context.Context, argv []string, input []byte) (runtime.Output, error) {
	p, err := h.process(argv)
	if err != nil {
		return runtime.Output{}, fmt.Errorf("script %s cannot run: %w", h.plan.Script.File, err)
	}
	p.input = input
	return p.run(ctx)
}

// process is the process of one run. Everything that can be refused is refused
// before the module is unpacked.
func (h hosted) process(argv []string) (process, error) {
	if hasNUL(argv) {
		return process{}, errNUL
	}
	file, i := filepath.FromSlash(h.plan.Script.File), h.plan.interpreter
	if i.check != nil {
		if err := i.check(append([]string{file}, argv[1:]...)); err != nil {
			return process{}, err
		}
	}
	program, err := i.find(h.path)
	if err != nil {
		return process{}, err
	}
	dir, err := h.home.unpacked()
	if err != nil {
		return process{}, err
	}
	p := process{program: program, dir: dir, env: environment(h.path, dir), cage: h.cage, limits: h.limits}
	script := filepath.Join(dir, file)
	if _, err := os.Stat(script); err != nil {
		return process{}, fmt.Errorf("its unpacked copy was removed or changed: %w; load the module again", err)
	}
	switch {
	case program == "":
		p.program, p.argv = script, argv
	case i.line != nil:
		p.line = i.line(program, file, argv[1:])
	default:
		p.argv = slices.Concat([]string{program}, i.options, []string{script}, argv[1:])
	}
	return p, nil
}

// A process is a program of the host, ready to be started once.
type process struct {
	program string
	argv    []string
	line    string // in place of argv, where a program on Windows takes no argv
	dir     string
	env     []string
	input   []byte // its standard input
	cage    *confine.Cage
	limits  policy.Limits
}

// grace is how long the output of a process is waited for that ended but left a
// child which holds on to it.
const grace = 250 * time.Millisecond

// run starts the process and waits for its end; then nothing of its group is
// left. The error is a stopError if the process was stopped.
func (p process) run(ctx context.Context) (runtime.Output, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.limits.Time, fmt.Errorf("stopped after its time limit of %v", p.limits.Time))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	tooMuch := fmt.Errorf("stopped for printing more than its output limit of %v", p.limits.Output)
	full := func() { stop(tooMuch) }
	stdout, stderr := bounded{limit: p.limits.Output, full: full}, bounded{limit: p.limits.Output, full: full}

	c, began := p.command(ctx), time.Now()
	c.Stdout, c.Stderr = &stdout, &stderr
	killed, err := p.wait(ctx, c)
	out := runtime.Output{Stdout: stdout.text, Stderr: stderr.text, Usage: check.Usage{
		Wall:   time.Since(began),
		Output: stdout.written + stderr.written,
	}}
	switch {
	case stdout.over() || stderr.over():
		return out, stopError{tooMuch}
	case killed:
		return out, stopError{context.Cause(ctx)}
	case err != nil:
		return out, err
	}
	return ended(c, out)
}

// command is the process. It need not read its standard input.
func (p process) command(ctx context.Context) *exec.Cmd {
	c := exec.CommandContext(ctx, p.program)
	c.Args, c.Dir, c.Env, c.WaitDelay = p.argv, p.dir, p.env, grace
	if len(p.input) > 0 {
		c.Stdin = bytes.NewReader(p.input)
	}
	return c
}

// wait runs the process with all that it starts, and tells whether that had to
// be killed.
func (p process) wait(ctx context.Context, c *exec.Cmd) (killed bool, err error) {
	var end atomic.Bool
	g := newGroup(c, p)
	c.Cancel = func() error {
		end.Store(true)
		return g.kill()
	}
	if err := g.start(); err != nil {
		return ctx.Err() != nil, fmt.Errorf("cannot be started: %w", err)
	}
	err = c.Wait()
	g.end()
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		return end.Load(), nil
	}
	return end.Load(), fmt.Errorf("its output cannot be read: %w", err)
}

// ended reads how a process ended that nobody stopped.
func ended(c *exec.Cmd, out runtime.Output) (runtime.Output, error) {
	if reason := signalOf(c.ProcessState); reason != "" {
		return out, stopError{errors.New(reason)}
	}
	status := int64(c.ProcessState.ExitCode())
	out.Usage.ExitStatus = &status
	return out, nil
}

// A bounded is a writer that keeps what it is given up to a limit, and then
// calls full and refuses more.
type bounded struct {
	limit   policy.Bytes
	full    func()
	text    []byte
	written int64
}

func (b *bounded) Write(p []byte) (int, error) {
	b.written += int64(len(p))
	b.text = append(b.text, p[:min(int64(len(p)), int64(b.limit)-int64(len(b.text)))]...)
	if b.over() {
		b.full()
		return 0, errors.New("output limit reached")
	}
	return len(p), nil
}

func (b *bounded) over() bool { return b.written > int64(b.limit) }
