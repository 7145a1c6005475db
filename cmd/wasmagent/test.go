package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/ports"
	"github.com/wasmagent/wasmagent/listen/rest"
)

func (a *app) testCommand() *cobra.Command {
	var listen bool
	cmd := &cobra.Command{
		Use:   "test",
		Short: "A prompt at which commands are tried",
		Long: `Test loads the modules that config.toml enables, as serve does, but listens nowhere
and runs no schedule without --listen. It reads lines from standard input: a word
such as load, desc or reload is its own, which help lists; any other line is a
command with its arguments, which is run and printed with its state and its
performance data.

On a terminal lines can be edited, the tab key completes commands and modules, and
the arrow keys bring back earlier lines.`,
		Example: "  wasmagent test\n  echo check_cpu warn=80 | wasmagent test",
		Args:    cobra.NoArgs,
		RunE:    do(func(ctx context.Context, _ []string) error { return a.test(ctx, listen) }),
	}
	cmd.Flags().BoolVar(&listen, "listen", false, "listen and run the schedule as well, as serve does")
	return cmd
}

// test reads lines until there are no more.
func (a *app) test(ctx context.Context, listen bool) error {
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
	begin := p.load
	if listen {
		begin = p.serve
	}
	end, err := begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	p.greet()
	return p.talk(ctx, inBackground(read))
}

// load begins without listeners.
func (p *prompt) load(ctx context.Context) (end func(), err error) {
	p.setup, err = p.begin(ctx)
	return func() { p.setup.close() }, err
}

// serve begins as the agent does that listens.
func (p *prompt) serve(ctx context.Context) (end func(), err error) {
	c, err := p.unprivileged()
	if err != nil {
		return nil, err
	}
	open := &ports.Ports{}
	s, err := p.wire(ctx, c, options{log: p.level, audited: true, tell: true, own: open.Addrs, logs: rest.NewLogs()})
	if err != nil {
		return nil, err
	}
	srv, err := newServer(p.app, s, open, &slog.LevelVar{}) // the prompt says what is logged, and not the file
	if err != nil {
		s.close()
		return nil, err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- srv.run(serving) }()
	select {
	case <-srv.began:
		p.server = srv
		return func() { stop(); <-ended; s.close() }, nil
	case err := <-ended:
		stop()
		s.close()
		return nil, err
	}
}

// talk does what lines say until there are no more.
func (p *prompt) talk(ctx context.Context, lines func(ctx context.Context) (string, error)) error {
	for {
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
			counted(len(p.current().agent.Modules()), "module"), counted(len(p.current().agent.Commands()), "command"))
	}
}
