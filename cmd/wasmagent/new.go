package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/scaffold"
)

func (a *app) newCommand() *cobra.Command {
	var language string
	languages := strings.Join(scaffold.Languages(), ", ")
	cmd := &cobra.Command{
		Use:   "new DIR --lang LANGUAGE",
		Short: "Begin a module with one check, in a language",
		Long: `New writes a module into a new directory: a module.json, a README.md and one check
that reads a fact about the machine. It packs and runs as it is.`,
		Example: "  wasmagent new my-checks --lang go\n  wasmagent run --allow /host/memory my-checks check_memory",
		Args:    one("DIR"),
		PreRunE: func(*cobra.Command, []string) error {
			if language == "" {
				return errors.New("which language? add --lang and one of " + languages)
			}
			return nil
		},
		RunE: do(func(_ context.Context, args []string) error {
			prepare, err := scaffold.New(args[0], language)
			if err != nil {
				return err
			}
			dir := shellWord(args[0])
			if prepare != "" {
				fmt.Fprintf(a.stdout, "cd %s && %s && cd -\n", dir, prepare)
			}
			_, err = fmt.Fprintf(a.stdout, "wasmagent run --allow /host/memory %s check_memory\n", dir)
			return err
		}),
	}
	cmd.Flags().StringVar(&language, "lang", "", "the `LANGUAGE`: "+languages)
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(scaffold.Languages(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
