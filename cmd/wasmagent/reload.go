package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/access/hostkey"
	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/ports"
	"github.com/wasmagent/wasmagent/metrics/otlp"
	"github.com/wasmagent/wasmagent/schedule"
)

// reload reads config.toml and all that it names again, and takes it, or leaves all
// as it was. by is who wants it.
func (s *server) reload(ctx context.Context, by string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.supervisor.Reloading()
	defer func() { s.supervisor.Ready(s.standing()) }()
	c, err := s.configuration()
	if err == nil {
		err = s.change(ctx, c)
	}
	s.metrics.Reloaded(time.Now(), err)
	if by != "rest" { // which says who it was
		s.auditTold(audit.Line{Action: "reload", By: by}, err)
	}
	for _, err := range each(err) {
		s.log.Error("not reloaded, and all stays as it was", "by", by, "error", err)
	}
	if err == nil {
		s.log.Info("reloaded", "by", by)
	}
	return err
}

// configuration reads the file again that was read at the start; one that is gone is an
// error.
func (s *server) configuration() (config.Config, error) {
	if file := s.now.Load().config.File; file != "" {
		return config.Load(file)
	}
	return s.app.configuration()
}

// change takes a configuration whole, or leaves all as it was. s.changing is held.
func (s *server) change(ctx context.Context, c config.Config) error {
	old := s.now.Load()
	c, kept := c.Keeping(old.config)
	next := old.with(c)
	p, err := s.plan(next)
	if err != nil {
		return err
	}
	applied, err := next.apply(ctx, old)
	if err != nil {
		s.abandon(p)
		return err
	}
	s.take(p)
	if len(kept) > 0 {
		s.log.Warn("what these keys of config.toml say takes effect at the next start", "keys", kept)
	}
	s.logApplied(applied)
	return nil
}

// apply has the agent load the modules that the configuration enables, and no
// others.
func (s *setup) apply(ctx context.Context, before *setup) (applied agent.Applied, err error) {
	selection, err := s.selection(ctx, before)
	if err != nil {
		return applied, err
	}
	s.addAliases()
	err = s.audited(func() (err error) {
		applied, err = s.agent.Apply(ctx, selection)
		return err
	})
	if err != nil {
		before.addAliases()
	}
	return applied, err
}

// with is the setup with another configuration.
func (s *setup) with(c config.Config) *setup {
	next := *s
	next.config = c
	next.library = s.library.after(c)
	return &next
}

// selection reads the modules that the configuration enables. Those of which it says
// what the one before said stay as they are.
func (s *setup) selection(ctx context.Context, before *setup) (agent.Selection, error) {
	selection := agent.Selection{Find: s.library.finder(context.WithoutCancel(ctx)), Grants: s.settings, Same: s.sameAs(before)}
	var errs []error
	if len(s.config.Aliases) > 0 {
		selection.Builtins = append(selection.Builtins, aliasModule)
	}
	read := s.readEnabled(ctx)
	selection.Builtins = append(selection.Builtins, read.builtins...)
	for i, name := range read.names {
		if err := read.errs[i]; err != nil {
			errs = append(errs, fmt.Errorf("module %s: %w", name, err))
			continue
		}
		selection.Modules = append(selection.Modules, read.modules[i])
	}
	return selection, errors.Join(errs...)
}

// sameAs tells of which modules the configuration says what another one said.
func (s *setup) sameAs(before *setup) func(module string) bool {
	same := reflect.DeepEqual(s.config.Files, before.config.Files)
	return func(module string) bool {
		if _, builtin := config.Builtin(module); builtin {
			return true
		}
		if module == aliasModule {
			return reflect.DeepEqual(s.config.Aliases, before.config.Aliases)
		}
		was, _ := before.config.Module(module)
		is, _ := s.config.Module(module)
		return same && is.Equal(was)
	}
}

// A plan is a configuration of which everything is right but perhaps the modules. It
// is taken or abandoned.
type plan struct {
	setup       *setup
	ports       *ports.Change
	checks      []schedule.Check
	accounts    *access.Accounts
	hosts       map[string]*access.Hosts // by their list
	certificate *hostkey.Source          // nil if no listener speaks TLS
	uncertified error                    // why there is none
	exporter    *otlp.Exporter           // of metrics; nil is none
}

// plan makes everything of a configuration that can fail, and changes nothing.
func (s *server) plan(next *setup) (*plan, error) {
	p := &plan{setup: next, hosts: map[string]*access.Hosts{}}
	if t := s.taken; t != nil && next.config.TLS == t.setup.config.TLS {
		p.certificate = t.certificate
	}
	for name, c := range next.config.Schedule {
		p.checks = append(p.checks, c.Scheduled(name))
	}
	var accountsErr, exporterErr error
	wanted, err := s.wanted(p)
	p.accounts, accountsErr = s.accounts(next.config)
	p.exporter, exporterErr = s.exporter(next.config)
	if err = errors.Join(err, accountsErr, exporterErr); err == nil {
		p.ports, err = s.ports.Change(wanted)
	}
	if err != nil {
		s.abandon(p)
		return nil, err
	}
	return p, nil
}

// abandon gives back what the plan holds.
func (s *server) abandon(p *plan) {
	if p.ports != nil {
		p.ports.Abandon()
	}
	if p.exporter != nil && (s.taken == nil || p.exporter != s.taken.exporter) {
		s.closeExporter(p.exporter)
	}
}

// take makes a plan what holds.
func (s *server) take(p *plan) {
	s.now.Store(p.setup)
	s.users.Set(p.accounts)
	s.level.Set(p.setup.config.Log.Level)
	s.record(p.setup.config.Events)
	if err := errors.Join(s.scheduler.Set(p.checks), p.ports.Make()); err != nil {
		s.log.Error("this was checked before, and is a defect of the agent; please report it", "error", err)
	}
	if t := s.taken; t != nil && t.exporter != nil && t.exporter != p.exporter {
		s.closeExporter(t.exporter)
	}
	s.taken = p
	s.watch.Set(p.setup.files())
}

// files are those of which the setup was made, and that change it.
func (s *setup) files() []string {
	files := s.library.paths()
	for _, name := range enabled(s.config.Modules) {
		if path, err := s.library.path(name); err == nil {
			files = append(files, path)
		} else if _, builtin := config.Builtin(name); !builtin { // it may come
			files = append(files, filepath.Join(s.config.Directories.Modules, name+".zip"), filepath.Join(s.config.Directories.Modules, name))
		}
	}
	for _, file := range append(slices.Clone(s.config.Read), s.config.File, s.config.Users) {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}

// logApplied says what has become of modules.
func (s *server) logApplied(a agent.Applied) {
	modules := s.agent.Modules()
	for _, done := range []struct {
		what  string
		names []string
	}{{"module is unloaded", a.Unloaded}, {"module is replaced", a.Replaced}, {"module is loaded", a.Loaded}} {
		for _, name := range done.names {
			m, _ := named(modules, name)
			s.log.Info(done.what, "module", name, "version", m.Version, "digest", m.Digest)
		}
	}
	fresh := slices.DeleteFunc(modules, func(m agent.Status) bool {
		return !slices.Contains(a.Loaded, m.Name) && !slices.Contains(a.Replaced, m.Name)
	})
	s.now.Load().warnRestricted(fresh)
	s.now.Load().warnDegraded(fresh)
}
