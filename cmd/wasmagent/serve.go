package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Load the modules of config.toml and stay up",
		Long: `Serve loads the modules that config.toml enables, runs their on_start lines, and
stays up until it is interrupted or asked to terminate. A module that cannot be
loaded is logged as an error and does not keep the others from being served.

On SIGHUP it reads the modules' files again, puts those that have changed in the
place of their predecessors, and loads those that could not be loaded before. A
change of config.toml needs a restart.

This version has no listeners: it answers nobody.`,
		Args: cobra.NoArgs,
		RunE: do(func(ctx context.Context, _ []string) error { return a.serve(ctx) }),
	}
}

func (a *app) serve(ctx context.Context) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	s, err := a.wire(ctx, c, options{log: c.Log.Level})
	if err != nil {
		return err
	}
	defer s.log.Info("stopped")
	defer s.close()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	events, cancel := s.agent.Subscribe(eventBuffer)
	defer cancel()
	go s.logEvents(events)
	for _, err := range each(s.loadEnabled(ctx)) {
		s.log.Error(err.Error())
	}
	if ctx.Err() == nil {
		s.warnRestricted()
		s.warnDegraded()
		s.log.Info("ready", "config", c.File, "modules", len(s.agent.Modules()), "commands", len(s.agent.Commands()))
	}
	for {
		select {
		case <-ctx.Done():
			s.log.Info("stopping")
			return nil
		case <-hangup:
			s.reload(ctx)
		}
	}
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

// reload puts modules whose files have changed in the place of those that are
// loaded. One that cannot be loaded leaves its predecessor in place.
func (s *setup) reload(ctx context.Context) {
	for _, m := range s.agent.Modules() {
		if m.Builtin {
			continue
		}
		zip, err := s.library.open(ctx, s.library.read(m.Name).path)
		if err == nil && zip.Digest == m.Digest {
			continue
		}
		if err == nil {
			err = s.agent.Reload(ctx, zip)
		}
		if err != nil {
			s.log.Error("module is not reloaded", "module", m.Name, "error", err)
			continue
		}
		s.log.Info("module is reloaded", "module", m.Name, "digest", zip.Digest)
	}
	s.loadMissing(ctx)
	s.warnRestricted()
	s.warnDegraded()
	s.log.Info("reloaded")
}

// loadMissing loads the enabled modules that are not loaded.
func (s *setup) loadMissing(ctx context.Context) {
	for _, name := range enabled(s.config.Modules) {
		if slices.ContainsFunc(s.agent.Modules(), func(m agent.Status) bool { return fold(m.Name) == fold(name) }) {
			continue
		}
		if err := s.loadNamed(ctx, name); err != nil {
			s.log.Error("module is still not loaded", "module", name, "error", err)
			continue
		}
		s.log.Info("module is loaded", "module", name)
	}
}
