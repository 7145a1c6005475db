package main

import (
	"context"
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
		Args:    cobra.ExactArgs(1),
		RunE: do(func(_ context.Context, args []string) error {
			prepare, err := scaffold.New(args[0], language)
			if err != nil {
				return err
			}
			if prepare != "" {
				fmt.Fprintf(a.stdout, "cd %s && %s && cd -\n", args[0], prepare)
			}
			_, err = fmt.Fprintf(a.stdout, "wasmagent run --allow /host/memory %s check_memory\n", args[0])
			return err
		}),
	}
	cmd.Flags().StringVar(&language, "lang", "", "the `LANGUAGE`: "+languages)
	_ = cmd.MarkFlagRequired("lang")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(scaffold.Languages(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
