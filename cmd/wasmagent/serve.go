package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/daemon"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/ports"
	"github.com/wasmagent/wasmagent/listen/rest"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Load the modules of config.toml, listen, and stay up",
		Long: `Serve loads the modules that config.toml enables, runs their on_start lines, answers
whoever may ask at the addresses that config.toml says, runs the checks of its
schedule, and stays up until it is interrupted or asked to terminate. A module that
cannot be loaded is logged as an error and does not keep the others from being
served.

On SIGHUP, and when config.toml or another file that it was made of changes, it reads
all of them again. What has changed takes the place of what was, all at once:
listeners open and close, modules are loaded, replaced and unloaded, checks come and
go. What has not changed goes on: no listener that stays is closed, and no request
fails. If anything is wrong, everything stays as it was, and the log says why. The
keys runs, user and users and the tables [audit], [directories], [native] and
[providers] take effect when the agent starts.`,
		Args: cobra.NoArgs,
		RunE: do(func(ctx context.Context, _ []string) error { return daemon.Run(ctx, a.serve) }),
	}
}

func (a *app) serve(ctx context.Context) error {
	a.stderr = daemon.Log(a.stderr)
	c, err := a.unprivileged()
	if err != nil {
		return err
	}
	open, level := &ports.Ports{}, &slog.LevelVar{}
	level.Set(c.Log.Level)
	s, err := a.wire(ctx, c, options{first: true, log: level, audited: true, tell: true, own: open.Addrs, logs: rest.NewLogs()})
	if err != nil {
		return err
	}
	defer s.log.Info("stopped")
	srv, err := newServer(a, s, open, level)
	if err == nil {
		err = srv.run(ctx)
	}
	s.close()
	srv.followers.Wait() // for the last events
	return err
}
