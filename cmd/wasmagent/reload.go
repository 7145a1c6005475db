package main

import (
	"context"
	"maps"
	"slices"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

// reload takes what has changed in a configuration and in the files of modules:
// each change that cannot be made leaves what was.
func (s *setup) reload(ctx context.Context, c config.Config, err error) {
	for _, err := range each(err) {
		s.log.Error("config.toml is not read again", "error", err)
	}
	old := s.config
	if err == nil {
		s.reconfigure(c)
	}
	s.unloadDisabled(ctx)
	for _, m := range s.agent.Modules() {
		if !m.Builtin {
			s.reloadModule(ctx, m, old)
		}
	}
	s.loadMissing(ctx)
	s.warnRestricted()
	s.warnDegraded()
	s.log.Info("reloaded")
}

// reconfigure takes what a configuration says about modules.
func (s *setup) reconfigure(c config.Config) {
	for _, have := range []*config.Config{&s.config, &s.library.config} {
		have.Modules, have.Limits, have.Files, have.CA, have.Trust, have.Strict = c.Modules, c.Limits, c.Files, c.CA, c.Trust, c.Strict
	}
}

// unloadDisabled unloads the modules that are not enabled any more, each after
// those that require it. One that is still required stays.
func (s *setup) unloadDisabled(ctx context.Context) {
	for range s.agent.Modules() {
		list := s.agent.Modules()
		i := slices.IndexFunc(list, func(m agent.Status) bool {
			entry, _ := s.config.Module(m.Name)
			return m.Wanted && !entry.Enabled && len(m.RequiredBy) == 0
		})
		if i < 0 {
			return
		}
		if err := s.agent.Unload(ctx, list[i].Name); err != nil {
			s.log.Warn("module is unloaded, but not closed cleanly", "module", list[i].Name, "error", err)
		}
		s.log.Info("module is unloaded", "module", list[i].Name)
	}
}

// reloadModule loads a module again if its file or its entry has changed, or if
// that could not be done the last time.
func (s *setup) reloadModule(ctx context.Context, m agent.Status, old config.Config) {
	was, _ := old.Module(m.Name)
	entry, _ := s.config.Module(m.Name)
	path, err := s.library.read(m.Name).path, error(nil)
	if entry.Path != was.Path {
		path, err = s.library.path(m.Name)
	}
	if err == nil {
		err = s.reloadFrom(ctx, path, m, s.pending[fold(m.Name)] || !was.Equal(entry) || !maps.Equal(old.Files, s.config.Files))
	}
	s.pending[fold(m.Name)] = err != nil
	if err != nil {
		s.log.Error("module is not reloaded", "module", m.Name, "error", err)
	}
}

// reloadFrom loads a module from a path, if its bytes are others or it must be.
func (s *setup) reloadFrom(ctx context.Context, path string, m agent.Status, must bool) error {
	zip, err := s.library.open(ctx, path)
	if err != nil || zip.Digest == m.Digest && !must {
		return err
	}
	if err := s.audited(func() error { return s.agent.Reload(ctx, zip) }); err != nil {
		return err
	}
	s.log.Info("module is reloaded", "module", m.Name, "digest", zip.Digest)
	return nil
}

// loadMissing loads the enabled modules that are not loaded.
func (s *setup) loadMissing(ctx context.Context) {
	for _, name := range enabled(s.config.Modules) {
		if _, loaded := named(s.agent.Modules(), name); loaded {
			continue
		}
		if err := s.audited(func() error { return s.loadNamed(ctx, name) }); err != nil {
			s.log.Error("module is still not loaded", "module", name, "error", err)
			continue
		}
		s.log.Info("module is loaded", "module", name)
	}
}
