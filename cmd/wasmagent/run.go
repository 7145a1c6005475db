package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
)

const runHelp = `Run loads a module as serve does, its on_start lines included, runs one command
and ends with its state as the exit status: it is itself a monitoring plugin.

MODULE is a zip, a directory laid out like one, a module that config.toml
names, or a built-in module. Without it, all modules that config.toml enables
are loaded. Of a directory, programs that are missing are built from source.

Flags are taken before MODULE and between MODULE and COMMAND. What follows
COMMAND is the script's, dashes and all.

Whatever keeps the command from running is UNKNOWN, exit status 3, with the
reason on standard output. If the answer is not OK and the script was refused
what its module asks for, standard error says how to grant it.`

const runExample = `  wasmagent run examples/wasm-checks check_memory -w 80 -c 90
  wasmagent run --allow /host/memory my-checks check_memory
  wasmagent run CheckSystem check_cpu --help
  wasmagent run --output json checks.zip check_load`

// A runFlags is what the flags of run say.
type runFlags struct {
	allow     []string
	input     string
	output    string
	timeout   time.Duration
	interpret bool
	trace     bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:               "run [flags] [MODULE] COMMAND [ARGS]",
		Short:             "Run one command of a module, as a monitoring plugin",
		Long:              runHelp,
		Example:           runExample,
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.run(cmd, &f, args)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return a.say(&f, "", unable(fmt.Errorf("%w; %s", err, seeHelp(cmd))))
	})
	flags.StringArrayVar(&f.allow, "allow", nil, "grant MODULE the paths of this `PATTERN`, if it asks for them, beside config.toml's grants; can be repeated")
	flags.StringVar(&f.input, "input", "", "hand the command this `FILE` as its standard input, which is empty otherwise; - is standard input")
	flags.StringVar(&f.output, "output", "text", "print the answer as `FORMAT`: text or json")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop the command after this `TIME`, such as 2s; loading is not counted")
	flags.BoolVar(&f.trace, "trace", false, "print each path that a script tries, with what comes of it, and then the permissions that the run needs, to standard error")
	flags.BoolVar(&f.interpret, "interpret", false, "interpret programs instead of compiling them: they start sooner and run slower")
	return cmd
}

// run runs a command and prints the answer, which is also that for whatever kept
// the command from running.
func (a *app) run(cmd *cobra.Command, f *runFlags, args []string) error {
	c, module, words, err := a.split(cmd, args)
	if help, _ := cmd.Flags().GetBool("help"); help {
		return cmd.Help()
	}
	var command string
	var result check.Result
	var input []byte
	if err == nil {
		input, err = a.input(f.input)
	}
	if err == nil {
		command = words[0]
		result, err = a.answer(cmd.Context(), c, f, module, check.Request{Command: command, Args: words[1:], Input: input, Origin: check.CommandLine})
	}
	if err != nil {
		usage := result.Usage
		result = unable(stopped(cmd.Context(), err))
		result.Usage = usage
	}
	return a.say(f, command, result)
}

// input is what a file holds, or standard input, or nothing, up to a byte more than
// a command can be handed.
func (a *app) input(file string) ([]byte, error) {
	in := a.stdin
	switch file {
	case "":
		return nil, nil
	case "-":
	default:
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, agent.MaxInput+1))
	if err != nil {
		return nil, fmt.Errorf("--input: %w", err)
	}
	return data, nil
}

// say prints the answer of a command, which is also the exit status.
func (a *app) say(f *runFlags, command string, result check.Result) error {
	a.status = result.State.ExitStatus()
	if f.output == "json" {
		return a.printJSON(answer{command, result})
	}
	text := check.Encode(result)
	if isTerminal(a.stdout) {
		text = visible(text)
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}

// visible takes the characters out of a script's text that would control a
// terminal, or show what follows in another order.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Bidi_Control) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// split takes the words of run apart, and reads the flags between MODULE and
// COMMAND: whose a word is depends on whether the first one is a module.
func (a *app) split(cmd *cobra.Command, args []string) (c config.Config, module string, words []string, err error) {
	if len(args) == 0 {
		return c, "", nil, errors.New("which command? " + seeHelp(cmd))
	}
	c, err = a.configuration()
	if err != nil || !isModule(c, args[0]) {
		return c, "", args, err
	}
	if err := cmd.Flags().Parse(args[1:]); err != nil {
		return c, "", nil, fmt.Errorf("%w; %s", err, seeHelp(cmd))
	}
	module, words = args[0], cmd.Flags().Args()
	if len(words) == 0 {
		return c, "", nil, fmt.Errorf("which command of %s? see: wasmagent inspect %[1]s", module)
	}
	c, err = a.configuration() // --config may have come after MODULE
	return c, module, words, err
}

// options are those that the flags ask for.
func (f *runFlags) options() (options, error) {
	if f.output != "text" && f.output != "json" {
		return options{}, fmt.Errorf("--output %q: want text or json", f.output)
	}
	if f.timeout < 0 {
		return options{}, fmt.Errorf("--timeout %v: want a time such as 2s", f.timeout)
	}
	allow, err := policy.ParseGrants(f.allow)
	if err != nil {
		return options{}, fmt.Errorf("--allow: %w", err)
	}
	return options{allow: allow, time: f.timeout, interpret: f.interpret, log: slog.LevelWarn, audited: true, trace: f.trace}, nil
}

// answer makes an agent that answers one request. If the answer is not OK, it
// says on standard error what the module lacks.
func (a *app) answer(ctx context.Context, c config.Config, f *runFlags, module string, req check.Request) (check.Result, error) {
	o, err := f.options()
	if err != nil {
		return check.Result{}, err
	}
	s, err := a.wire(ctx, c, o)
	if err != nil {
		return check.Result{}, err
	}
	defer s.close()
	s.refused = &refused{granted: s.granted, grants: map[string]map[string]bool{}}
	result, err := s.answer(ctx, module, req)
	if err := s.trace.end(); err != nil {
		return result, err
	}
	if result.State != check.StateOK {
		fmt.Fprint(a.stderr, s.refused.hint())
	}
	return result, err
}

// answer loads the module, or all of them, and runs the command.
func (s *setup) answer(ctx context.Context, module string, req check.Request) (check.Result, error) {
	var failed error
	if module == "" {
		failed = s.loadEnabled(ctx)
		s.auditStrict(nil, failed)
	} else if err := s.load(ctx, module); err != nil {
		s.auditStrict(nil, err)
		return check.Result{}, err
	}
	s.warnDegraded(s.agent.Modules())
	result, err := s.agent.Run(ctx, req)
	if _, loaded := s.moduleOf(req.Command); err != nil && !loaded {
		if module == "" {
			err = s.elsewhere(req.Command, err)
		}
		return result, errors.Join(err, failed)
	}
	for _, err := range each(failed) {
		s.log.Warn(err.Error())
	}
	return result, err
}

// moduleOf returns the name of the module that has a command.
func (s *setup) moduleOf(command string) (string, bool) {
	for _, c := range s.agent.Commands() {
		for _, name := range c.Names {
			if fold(name) == fold(command) {
				return c.Module, true
			}
		}
	}
	return "", false
}

// An answer is a Result as run prints it in JSON: with the command that gave it.
type answer struct {
	command string
	result  check.Result
}

// MarshalJSON writes the keys of the Result behind that of the command.
func (a answer) MarshalJSON() ([]byte, error) {
	command, err := json.Marshal(a.command)
	if err != nil {
		return nil, err
	}
	result, err := json.Marshal(a.result)
	if err != nil {
		return nil, err
	}
	return append([]byte(`{"command":`+string(command)+","), result[1:]...), nil
}

// printJSON prints a document for people and machines.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
