package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func (a *app) outdatedCommand() *cobra.Command {
	var output string
	var f fetching
	cmd := &cobra.Command{
		Use:   "outdated",
		Short: "Show the installed modules with what their sources have now",
		Long: `Outdated fetches the modules that were installed from where they came from, and
verifies them as upgrade does. It changes nothing. A registry names the digest of
what it has, so that what is there already is not fetched from one.`,
		Args: cobra.NoArgs,
	}
	outputFlag(cmd, &output)
	f.timeoutFlag(cmd)
	cmd.RunE = do(func(ctx context.Context, _ []string) error {
		list, err := a.outdated(ctx, f)
		if err != nil {
			return err
		}
		return errors.Join(a.print(output, list), ctx.Err())
	})
	return cmd
}

// An offers is what outdated prints.
type offers []offer

// An offer is what the source of one module has.
type offer struct {
	Module    string `json:"module"`
	Installed string `json:"installed"` // the version; empty if it has none, or is damaged
	Available string `json:"available"`
	Digest    string `json:"digest"` // of what is available; empty if it cannot be had
	State     string `json:"state"`  // current, outdated or unknown
	Source    string `json:"source"`
	Problem   string `json:"problem"` // why it cannot be had
}

func (a *app) outdated(ctx context.Context, f fetching) (offers, error) {
	c, err := a.configuration()
	if err != nil {
		return nil, err
	}
	list := offers{}
	for _, name := range installed(c) {
		o, err := a.offer(ctx, name, f)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// offer looks what the source of a module has.
func (a *app) offer(ctx context.Context, name string, f fetching) (offer, error) {
	s, err := a.wireConfigured(ctx)
	if err != nil {
		return offer{}, err
	}
	defer s.close()
	old, err := s.installation(name)
	if err != nil {
		return offer{}, err
	}
	o := offer{Module: name, State: "unknown", Source: old.entry.Source.String()}
	if old.module != nil {
		o.Installed = old.module.Version
	}
	c, err := a.fetch(ctx, s, f, old.entry.Source, "", old.parcel.Archive)
	if err != nil {
		o.Problem = err.Error()
		return o, ctx.Err()
	}
	o.Available, o.Digest, o.State = c.module.Version, c.module.Digest, "outdated"
	if old.is(c) {
		o.State = "current"
	}
	return o, nil
}

func (l offers) print(w io.Writer) {
	fmt.Fprintln(w, "MODULE\tSTATE\tINSTALLED\tAVAILABLE\tSOURCE")
	for _, o := range l {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", o.Module, o.State, cmp.Or(o.Installed, "-"), cmp.Or(o.Available, "-"), o.Source)
	}
	for _, o := range l {
		if o.Problem != "" {
			fmt.Fprintf(w, "\n%s: %s\n", o.Module, o.Problem)
		}
	}
}
