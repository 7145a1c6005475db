package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/zipmod"
)

func (a *app) pushCommand() *cobra.Command {
	var f fetching
	cmd := &cobra.Command{
		Use:   "push ZIP oci://REGISTRY/NAME:TAG",
		Short: "Publish a zip in an OCI registry",
		Long: `Push checks that a zip is a module and publishes it with its signature, if there is
a ZIP.minisig, as an OCI artifact. It prints the source by which these very bytes
are installed. The last element of NAME must be the module's name, for it is
installed under that. The same zip and signature make the same artifact.

The artifact's type is application/vnd.wasmagent.module.v1. Credentials are those
of docker login; a registry without TLS is named oci+http://, unless it is on this
machine.`,
		Example: "  wasmagent pack web\n  wasmagent sign web.zip -s ops.key\n  wasmagent push web.zip oci://registry.example.com/checks/web:1.0",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("want a ZIP and oci://REGISTRY/NAME:TAG, not %d arguments; %s", len(args), seeHelp(cmd))
			}
			return nil
		},
	}
	f.timeoutFlag(cmd)
	cmd.RunE = do(func(ctx context.Context, args []string) error { return a.push(ctx, args[0], args[1], f) })
	return cmd
}

func (a *app) push(ctx context.Context, zip, to string, f fetching) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	file, err := parseSource(zip)
	if err != nil {
		return err
	}
	target, err := parseSource(to)
	if err != nil {
		return err
	}
	l := newLibrary(c, toolchain.Builder{})
	client := l.client(file.Module(), nil)
	parcel, err := client.Fetch(ctx, file)
	if err == nil && parcel.Signature == nil && !errors.Is(parcel.Unsigned, fs.ErrNotExist) {
		err = fmt.Errorf("%s: its signature: %w", zip, parcel.Unsigned)
	}
	if err != nil {
		return err
	}
	m, err := zipmod.Read(file.Module(), parcel.Archive, zipmod.Options{Limits: l.limits(zip)})
	if err != nil {
		return prefix(zip, err)
	}
	if fold(m.Name) != fold(target.Module()) {
		return fmt.Errorf("%s: would be installed as module %s and is module %s; let NAME end in /%s", target, target.Module(), m.Name, fold(m.Name))
	}
	return a.publish(ctx, client, f, target, parcel, m)
}

// publish sends a module to a registry.
func (a *app) publish(ctx context.Context, client fetch.Client, f fetching, target fetch.Source, parcel fetch.Parcel, m *zipmod.Module) error {
	done := newProgress(a.stderr).of("publishing")(m.Name)
	var fixed fetch.Source
	err := f.transfer(ctx, target, func(ctx context.Context) (err error) {
		fixed, err = client.Push(ctx, target, parcel, fetch.About{Title: m.Title, Version: m.Version, Description: m.Description})
		return err
	})
	done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, fixed)
	return err
}
