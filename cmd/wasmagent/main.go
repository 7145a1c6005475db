// Command wasmagent is a monitoring agent whose checks run in a WebAssembly
// sandbox.
//
// Its exit status is that of a monitoring plugin: "wasmagent run" ends with the
// state of the check, and every command with 3 if it could not do what it was
// asked. What keeps a check from running, and every mistake in the arguments, is
// said on standard output, where whoever starts plugins reads it; other commands
// say what went wrong on standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers/confine"
)

func main() {
	confine.Main()
	os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
}

// Main runs one command line and returns the exit status. An interrupt or a
// request to terminate ends it.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{stdin: os.Stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return a.finish(root.ExecuteContext(ctx))
}

// An app is one invocation of the command line.
type app struct {
	stdin          *os.File // where a password is asked for, and input is read
	stdout, stderr io.Writer
	status         int // the exit status of what ran

	configFile string // flags of every command
	logLevel   string
}

// root is the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "wasmagent",
		Short:         "A monitoring agent whose checks run in a WebAssembly sandbox",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return errors.New("which command? " + seeHelp(cmd)) },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "read `FILE` instead of ./config.toml or the system's")
	flags.StringVar(&a.logLevel, "log-level", "", "log messages of this `LEVEL` and above: debug, info, warn or error")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return fmt.Errorf("%w; %s", err, seeHelp(cmd)) })
	root.AddCommand(a.runCommand(), a.testCommand(), a.listCommand(), a.inspectCommand(), a.packCommand(), a.newCommand(),
		a.configCommand(), a.importCommand(), a.grantCommand(), a.installCommand(), a.upgradeCommand(), a.outdatedCommand(), a.removeCommand(), a.pushCommand(), a.moduleCommand(),
		a.serveCommand(), a.serviceCommand(), a.versionCommand(), a.trustCommand(), a.verifyCommand(), a.signCommand(), a.keygenCommand(), a.userCommand())
	wantShell(root)
	return root
}

// wantShell makes "completion" without a shell a mistake as any other.
func wantShell(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.RunE = func(cmd *cobra.Command, _ []string) error { return errors.New("which shell? " + seeHelp(cmd)) }
	}
}

func seeHelp(cmd *cobra.Command) string { return "see: " + cmd.CommandPath() + " --help" }

// one wants a single argument, which is called so.
func one(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("want one %s and not %d arguments; %s", name, len(args), seeHelp(cmd))
		}
		return nil
	}
}

// A failure is why a command that was understood could not do its work. Every
// other error is a mistake in the arguments.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// do makes a function the body of a command.
func do(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := stopped(cmd.Context(), f(cmd.Context(), args)); err != nil {
			return failure{err}
		}
		return nil
	}
}

// stopped is the error of something that failed because it was told to end,
// which says more than what came of that; any other error is itself.
func stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stopped before it was done: %w", context.Cause(ctx))
	}
	return err
}

// finish reports an error and returns the exit status.
func (a *app) finish(err error) int {
	if err == nil {
		return a.status
	}
	if f := (failure{}); errors.As(err, &f) {
		fmt.Fprintln(a.stderr, "wasmagent:", visible(f.Error()))
	} else {
		fmt.Fprintln(a.stdout, check.Encode(unable(err)))
	}
	return check.StateUnknown.ExitStatus()
}

// unable is the answer that says why there is none.
func unable(err error) check.Result {
	text, long, _ := strings.Cut(err.Error(), "\n")
	return check.Result{Text: "UNKNOWN: " + text, Long: long}
}
