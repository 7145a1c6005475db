package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
)

// A prompt is where lines are typed, with the agent that they are about.
type prompt struct {
	*app
	setup  *setup
	server *server        // nil if it listens nowhere
	level  *slog.LevelVar // the least that is logged
}

// current is the agent as it is now.
func (p *prompt) current() *setup {
	if p.server != nil {
		return p.server.now.Load()
	}
	return p.setup
}

// begin makes an agent of the configuration, with its modules. What of them cannot be
// loaded is said.
func (p *prompt) begin(ctx context.Context) (*setup, error) {
	c, err := p.configuration()
	if err != nil {
		return nil, err
	}
	s, err := p.wire(ctx, c, options{log: p.level, audited: true})
	if err != nil {
		return nil, err
	}
	for _, err := range each(s.audited(func() error { return s.loadEnabled(ctx) })) {
		p.show(err.Error())
	}
	return s, nil
}

// show prints lines for people.
func (p *prompt) show(text string) {
	fmt.Fprintln(p.stdout, visible(strings.TrimRight(text, "\n")))
}

// lineReader reads lines of bounded length.
func lineReader(in *os.File) func() (string, error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, check.MaxCommandLine)
	return func() (string, error) {
		if lines.Scan() {
			return lines.Text(), nil
		}
		if err := lines.Err(); err != nil {
			return "", fmt.Errorf("standard input: %w", err)
		}
		return "", io.EOF
	}
}

// A request is one of the words that the prompt itself knows.
type request struct {
	names []string // the first is the one to type
	args  string   // what follows, for people; empty takes none
	help  string
	of    func(p *prompt) []string // what can follow
	do    func(p *prompt, ctx context.Context, args []string) error
}

// requests are all of them.
func requests() []request {
	return []request{
		{[]string{"help", "?"}, "", "list what can be typed", nil, (*prompt).help},
		{[]string{"queries", "commands"}, "", "list the commands", nil, (*prompt).queries},
		{[]string{"desc"}, "COMMAND", "say what a command is", (*prompt).commandNames, (*prompt).desc},
		{[]string{"query"}, "COMMAND [ARGS]", "run a command that has the name of one of these words", (*prompt).commandNames, (*prompt).query},
		{[]string{"modules", "plugins"}, "", "list the modules", nil, (*prompt).modules},
		{[]string{"load"}, "MODULE", "load a module: one of config.toml, a built-in one, a zip or a directory", (*prompt).moduleNames, (*prompt).loadOne},
		{[]string{"unload"}, "MODULE", "unload a module", (*prompt).loadedNames, (*prompt).unload},
		{[]string{"aliases"}, "", "list the aliases of config.toml", nil, (*prompt).aliases},
		{[]string{"schedule"}, "", "list the scheduled checks, with --listen", nil, (*prompt).schedule},
		{[]string{"run"}, "CHECK", "run a scheduled check now, with --listen", (*prompt).checkNames, (*prompt).runNow},
		{[]string{"settings"}, "[TABLE]", "list what holds, of config.toml or of one of its tables", (*prompt).tables, (*prompt).settings},
		{[]string{"reload"}, "", "begin anew, with config.toml and all files as they are now", nil, (*prompt).reload},
		{[]string{"log"}, "LEVEL", "log messages of this level and above: debug, info, warn or error", levels, (*prompt).log},
		{[]string{"exit", "quit"}, "", "end", nil, func(*prompt, context.Context, []string) error { return io.EOF }},
	}
}

func levels(*prompt) []string { return []string{"debug", "info", "warn", "error"} }

// do does what a line says. The error is io.EOF if that was to end; whatever else is
// wrong is printed.
func (p *prompt) do(ctx context.Context, line string) error {
	words, err := check.Split(line)
	if err == nil && len(words) > 0 {
		err = p.request(ctx, words)
	}
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		p.show("wasmagent: " + err.Error())
	}
	return nil
}

// request does one of the prompt's own words, or else runs a command.
func (p *prompt) request(ctx context.Context, words []string) error {
	r, ok := requestOf(words[0])
	args := words[1:]
	switch {
	case !ok:
		return p.query(ctx, words)
	case r.args == "" && len(args) > 0, strings.HasPrefix(r.args, "[") && len(args) > 1:
		return fmt.Errorf("%s takes no %q; to run a command of that name: query %s", r.names[0], args[0], line(words))
	case r.args != "" && !strings.HasPrefix(r.args, "[") && len(args) == 0:
		return fmt.Errorf("write it as: %s %s", r.names[0], r.args)
	}
	return r.do(p, ctx, args)
}

func line(words []string) string { return check.Join(words) }

// requestOf finds the prompt's own word.
func requestOf(word string) (request, bool) {
	for _, r := range requests() {
		for _, name := range r.names {
			if fold(name) == fold(word) {
				return r, true
			}
		}
	}
	return request{}, false
}

// table prints rows of columns.
func (p *prompt) table(print func(w io.Writer)) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	print(w)
	_ = w.Flush() // into memory
	p.show(text.String())
}

func (p *prompt) help(context.Context, []string) error {
	p.table(func(w io.Writer) {
		for _, r := range requests() {
			fmt.Fprintf(w, "%s\t%s\n", strings.TrimSpace(strings.Join(r.names, ", ")+" "+r.args), r.help)
		}
		fmt.Fprintln(w, "COMMAND [ARGS]\trun a command; words are split as in a module.json")
	})
	return nil
}

func (p *prompt) queries(context.Context, []string) error {
	p.table(func(w io.Writer) {
		for _, c := range p.current().agent.Commands() {
			fmt.Fprintf(w, "%s\t%s\n", c.Alias, c.Module)
		}
	})
	return nil
}

// desc says what a command is; a built-in one says itself how it is used.
func (p *prompt) desc(ctx context.Context, args []string) error {
	c, err := p.command(args[0])
	if err != nil {
		return err
	}
	state := commandState{c.Alias, c.Names, c.Module, c.File, c.Provider, c.Exec, text(p.current().library.absent(c.Module, c.Alias))}
	p.show(fmt.Sprintf("%s: of module %s, runs in %s", strings.Join(c.Names, ", "), c.Module, state.place()))
	if c.File != "" {
		p.show(fmt.Sprintf("it is %s, run by %s", c.File, c.Provider))
		return nil
	}
	if words, ok := p.current().config.Aliases[c.Alias]; ok && c.Module == aliasModule {
		p.show("it stands for " + line(words))
		return nil
	}
	result, err := p.current().agent.Run(ctx, check.Request{Command: c.Alias, Args: []string{"help"}, Origin: check.CommandLine})
	if err == nil {
		p.show(result.Text + "\n" + result.Long)
	}
	return err
}

// command finds a command by one of its names.
func (p *prompt) command(name string) (agent.Command, error) {
	for _, c := range p.current().agent.Commands() {
		for _, known := range c.Names {
			if fold(known) == fold(name) {
				return c, nil
			}
		}
	}
	return agent.Command{}, fmt.Errorf("no command %q is loaded; queries lists those that are", name)
}

// query runs a command and prints what it answers.
func (p *prompt) query(ctx context.Context, words []string) error {
	result, err := p.current().agent.Run(ctx, check.Request{Command: words[0], Args: words[1:], Origin: check.CommandLine})
	p.current().log.Debug("ran", "command", words[0], "wall", result.Usage.Wall, "instructions", result.Usage.Instructions, "memory", result.Usage.Memory, "error", err)
	if _, loaded := p.current().moduleOf(words[0]); err != nil && !loaded {
		err = p.current().elsewhere(words[0], err)
	}
	if err != nil {
		return err
	}
	p.answer(result)
	return nil
}

// answer prints a result.
func (p *prompt) answer(result check.Result) {
	p.show(result.State.String() + " | " + result.Text)
	if result.Long != "" {
		p.show(result.Long)
	}
	for _, perf := range result.Perf {
		p.show("  " + perf.String())
	}
}

func (p *prompt) modules(context.Context, []string) error {
	p.table(func(w io.Writer) {
		for _, m := range p.current().agent.Modules() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Name, m.State(), oneLine(m.Version), oneLine(firstLine(m.Description)))
		}
	})
	return nil
}

// loadOne loads a module.
func (p *prompt) loadOne(ctx context.Context, args []string) error {
	if err := p.current().audited(func() error { return p.current().load(ctx, args[0]) }); err != nil {
		return err
	}
	p.show(args[0] + " is loaded")
	return nil
}

func (p *prompt) unload(ctx context.Context, args []string) error {
	if err := p.current().agent.Unload(ctx, args[0]); err != nil {
		return err
	}
	p.show(args[0] + " is unloaded")
	return nil
}

func (p *prompt) aliases(context.Context, []string) error {
	p.table(func(w io.Writer) {
		for _, name := range (aliases{commands: p.current().config.Aliases}).names() {
			fmt.Fprintf(w, "%s\t%s\n", name, line(p.current().config.Aliases[name]))
		}
	})
	return nil
}

// settings lists the keys, those that have their defaults included.
func (p *prompt) settings(_ context.Context, args []string) error {
	p.table(func(w io.Writer) {
		for _, s := range p.current().config.Settings() {
			if len(args) == 0 || s.Table == "/"+strings.TrimPrefix(args[0], "/") {
				value := s.Value
				if s.Secret {
					value = "***"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", s.Table, s.Key, value)
			}
		}
	})
	return nil
}

// reload puts an agent of the configuration as it is now in the place of this one,
// which stays if there is none.
func (p *prompt) reload(ctx context.Context, _ []string) error {
	if p.server != nil {
		return p.server.reload(ctx, "the prompt")
	}
	next, err := p.begin(ctx)
	if err != nil {
		return err
	}
	p.setup.close()
	p.setup = next
	p.show(fmt.Sprintf("reloaded, %s", counted(len(next.agent.Modules()), "module")))
	return nil
}

func (p *prompt) log(_ context.Context, args []string) error {
	var level slog.Level
	if level.UnmarshalText([]byte(args[0])) != nil {
		return fmt.Errorf("log %q: want debug, info, warn or error", args[0])
	}
	p.level.Set(level)
	return nil
}
