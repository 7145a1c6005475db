//go:build linux

// Command bench measures the agent beside what it is compared with, and prints what it
// found as a section of BENCHMARKS.md, or puts it there.
//
//	go run -C bench . [-into FILE] SECTION [flags]
//
// The sections are "checks", a run of a check by itself, and "requests", the whole way
// from a client to the answer. Everything that it starts ends with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/wasmagent/wasmagent/bench/internal/checks"
	"github.com/wasmagent/wasmagent/bench/internal/report"
	"github.com/wasmagent/wasmagent/bench/internal/requests"
	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case requests.KeepCommand:
			finish(requests.Keep(os.Args[2:]))
		case worker.Command:
			finish(checks.Work(os.Stdin, os.Stdout))
		}
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

// run measures what a command line asks for, and prints the section or puts it into a
// file.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	into := flags.String("into", "", "put the section into this `FILE` in place of the one that it has, such as ../BENCHMARKS.md")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if _, err := os.Stat(*into); *into != "" && err != nil {
		return err
	}
	measure, found := map[string]func(context.Context, string, []string, io.Writer) (string, error){
		"checks":   checks.Run,
		"requests": requests.Run,
	}[flags.Arg(0)]
	if !found {
		return fmt.Errorf("section %q: want \"checks\" or \"requests\"", flags.Arg(0))
	}
	section, err := measure(ctx, "go run -C bench . "+strings.Join(args, " "), flags.Args()[1:], stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case *into != "":
		return report.Replace(*into, section)
	}
	_, err = io.WriteString(stdout, section)
	return err
}
