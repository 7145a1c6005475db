package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/daemon"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Load the modules of config.toml and stay up",
		Long: `Serve loads the modules that config.toml enables, runs their on_start lines, and
stays up until it is interrupted or asked to terminate. A module that cannot be
loaded is logged as an error and does not keep the others from being served.

On SIGHUP it reads config.toml and the modules' files again. What has changed, in a
module's file or in what config.toml says about it, takes the place of what was;
modules that are not enabled any more are unloaded, and those that are new or
could not be loaded before are loaded. If config.toml is wrong, or a module cannot
be loaded, what was stays. Of config.toml the tables [modules], [files], [limits]
and [trust] and the keys strict and ca are taken; a change of anything else needs
a restart.

This version has no listeners: it answers nobody.`,
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
	s, err := a.wire(ctx, c, options{log: c.Log.Level, audited: true, tell: true})
	if err != nil {
		return err
	}
	defer s.log.Info("stopped")
	defer s.close()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	supervisor := daemon.Find(os.Getenv, s.log)
	defer supervisor.Stopping()
	events, cancel := s.agent.Subscribe(eventBuffer)
	defer cancel()
	go s.logEvents(events)
	for _, err := range each(s.audited(func() error { return s.loadEnabled(ctx) })) {
		s.log.Error(err.Error())
	}
	if ctx.Err() == nil {
		s.warnRestricted()
		s.warnDegraded()
		s.log.Info("ready", "config", c.File, "modules", len(s.agent.Modules()), "commands", len(s.agent.Commands()))
		supervisor.Ready(s.standing())
		go supervisor.Watch(ctx, s.agent.Ping)
	}
	for {
		select {
		case <-ctx.Done():
			s.log.Info("stopping")
			return nil
		case <-hangup:
			supervisor.Reloading()
			c, err := a.configuration()
			s.reload(ctx, c, err)
			supervisor.Ready(s.standing())
		}
	}
}

// standing is how the agent stands, in one line for a service manager.
func (s *setup) standing() string {
	return fmt.Sprintf("%d modules, %d commands", len(s.agent.Modules()), len(s.agent.Commands()))
}

// eventBuffer is how many events may wait to be logged.
const eventBuffer = 256

// logEvents logs every run.
func (s *setup) logEvents(events <-chan check.Event) {
	for e := range events {
		s.log.Debug("ran", "number", e.Number, "command", e.Request.Command, "module", e.Module, "origin", e.Request.Origin,
			"state", e.Result.State, "text", e.Result.Text, "wall", e.Result.Usage.Wall)
	}
}

// warnRestricted warns of the modules that lack a grant.
func (s *setup) warnRestricted() {
	for _, m := range s.agent.Modules() {
		if len(m.Uncovered) > 0 {
			s.log.Warn("module is restricted", "module", m.Name, "not granted", m.Uncovered)
		}
	}
}

// warnDegraded warns of the on_start lines that failed.
func (s *setup) warnDegraded() {
	for _, m := range s.agent.Modules() {
		for _, problem := range m.Failed {
			s.log.Warn("module is degraded", "module", m.Name, "problem", problem)
		}
	}
}
