package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func (a *app) testCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test",
		Short: "A prompt at which commands are tried",
		Long: `Test loads the modules that config.toml enables, as serve does, but listens nowhere
and runs no schedule. It reads lines from standard input: a word such as load, desc
or reload is its own, which help lists; any other line is a command with its
arguments, which is run and printed with its state and its performance data.

On a terminal lines can be edited, the tab key completes commands and modules, and
the arrow keys bring back earlier lines.`,
		Example: "  wasmagent test\n  echo check_cpu warn=80 | wasmagent test",
		Args:    cobra.NoArgs,
		RunE:    do(func(ctx context.Context, _ []string) error { return a.test(ctx) }),
	}
}

// test reads lines until there are no more.
func (a *app) test(ctx context.Context) (err error) {
	p := &prompt{app: a, level: &slog.LevelVar{}}
	p.level.Set(slog.LevelWarn)
	if a.logLevel != "" {
		if err := p.log(ctx, []string{a.logLevel}); err != nil {
			return err
		}
		a.logLevel = "" // log says another one
	}
	read, restore := p.reader()
	defer restore()
	if p.setup, err = p.begin(ctx); err != nil {
		return err
	}
	defer func() { p.setup.close() }()
	p.greet()
	for lines := inBackground(read); ; {
		line, err := lines(ctx)
		if err == nil {
			err = p.do(ctx, line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// reader returns what reads a line, and what leaves the terminal as it was found.
// Everything that is printed goes through the terminal, if there is one.
func (p *prompt) reader() (read func() (string, error), restore func()) {
	fd := int(p.stdin.Fd())
	if !term.IsTerminal(fd) || !isTerminal(p.stdout) {
		return lineReader(p.stdin), func() {}
	}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{p.stdin, p.stdout}, "wasmagent> ")
	t.AutoCompleteCallback = func(line string, at int, key rune) (string, int, bool) { return p.complete(t, line, at, key) }
	p.stdout, p.stderr = t, t
	found, err := term.GetState(fd)
	if err != nil {
		return t.ReadLine, func() {}
	}
	return func() (string, error) { return readRaw(t, fd) }, func() { _ = term.Restore(fd, found) }
}

// readRaw reads a line with the terminal's own editing off. It is on while commands
// run, so that an interrupt ends them.
func readRaw(t *term.Terminal, fd int) (string, error) {
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, state) }()
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		if err := t.SetSize(width, height); err != nil {
			return "", err
		}
	}
	return t.ReadLine()
}

// inBackground lets a read be given up when ctx ends: nothing else ends one of a
// terminal.
func inBackground(read func() (string, error)) func(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	return func(ctx context.Context) (string, error) {
		lines := make(chan answer, 1)
		go func() {
			line, err := read()
			lines <- answer{line, err}
		}()
		select {
		case l := <-lines:
			return l.line, l.err
		case <-ctx.Done():
			return "", io.EOF
		}
	}
}

func (p *prompt) greet() {
	if _, ok := p.stdout.(*term.Terminal); ok {
		fmt.Fprintf(p.stdout, "%s and %s are loaded; help lists what can be typed, exit ends\n",
			counted(len(p.setup.agent.Modules()), "module"), counted(len(p.setup.agent.Commands()), "command"))
	}
}
