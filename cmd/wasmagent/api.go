package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/listen/prometheus"
	"github.com/wasmagent/wasmagent/listen/rest"
	"github.com/wasmagent/wasmagent/schedule"
	"github.com/wasmagent/wasmagent/zipmod"
)

// api is what the REST API is made of. An upload has at most so many bytes.
func (s *server) api(c config.Config, archive int64) rest.Config {
	return rest.Config{
		Version:     version(),
		Run:         s.agent,
		Users:       s.users,
		Queries:     s.queries,
		Aliases:     s.aliases,
		Schedule:    s.scheduled,
		RunNow:      s.runNow,
		Modules:     s.modules,
		Load:        s.load,
		Unload:      s.unload,
		Enable:      func(ctx context.Context, module string) error { return s.enable(ctx, module, true) },
		Disable:     func(ctx context.Context, module string) error { return s.enable(ctx, module, false) },
		Upload:      s.upload,
		UploadSize:  archive,
		Scripts:     s.scripts,
		Settings:    s.settings,
		Source:      c.File,
		Reload:      s.reloadForREST,
		Logs:        s.logs,
		Events:      s.events,
		Metrics:     s.metrics.Values,
		OpenMetrics: prometheus.Scrape(s.metrics, s.log),
		Audit:       s.auditAction,
	}
}

// reloadForREST is a reload of which the answer says what was wrong. It goes on if
// nobody waits for the answer any more.
func (s *server) reloadForREST(ctx context.Context) error {
	if err := s.reload(context.WithoutCancel(ctx), "rest"); err != nil {
		return &rest.Refusal{Status: http.StatusConflict, Err: err}
	}
	return nil
}

// queries are the commands that can be run.
func (s *server) queries() (list []rest.Query) {
	for _, c := range s.agent.Commands() {
		if c.Module != aliasModule {
			list = append(list, rest.Query{Name: c.Alias, Module: c.Module})
		}
	}
	return list
}

// aliases are the commands that stand for others with arguments.
func (s *server) aliases() (list []rest.Query) {
	for _, c := range s.agent.Commands() {
		if c.Module == aliasModule {
			list = append(list, rest.Query{Name: c.Alias, Module: c.Module})
		}
	}
	return list
}

// scheduled are the checks that the agent runs by itself.
func (s *server) scheduled() (list []rest.Scheduled) {
	for _, c := range s.scheduler.Checks() {
		list = append(list, rest.Scheduled{
			Name: c.Check.Name, Command: c.Check.Command, Interval: c.Check.Interval, Cron: c.Check.Cron,
			Last: c.Last, Next: c.Next, Running: c.Running, Missed: c.Missed,
		})
	}
	return list
}

// runNow runs one of them now.
func (s *server) runNow(ctx context.Context, name string) (check.Event, error) {
	e, err := s.scheduler.RunNow(ctx, name)
	switch {
	case errors.Is(err, schedule.ErrNotFound):
		return e, &rest.Refusal{Status: http.StatusNotFound, Err: err}
	case err != nil:
		return e, &rest.Refusal{Status: http.StatusServiceUnavailable, Err: err}
	}
	return e, nil
}

// modules are those that are loaded and, of all, those that could be.
func (s *server) modules(all bool) (list []rest.Module) {
	now := s.now.Load()
	for _, m := range s.agent.Modules() {
		list = append(list, now.loadedModule(m))
	}
	if !all {
		return list
	}
	for _, name := range now.known() {
		if !slices.ContainsFunc(list, func(m rest.Module) bool { return fold(m.Name) == fold(name) }) {
			list = append(list, now.otherModule(name))
		}
	}
	return list
}

// loadedModule is a module that is loaded.
func (s *setup) loadedModule(m agent.Status) rest.Module {
	entry, _ := s.config.Module(m.Name)
	r := rest.Module{
		Name: m.Name, Title: m.Title, Description: m.Description, Version: m.Version, Digest: m.Digest,
		State: m.State(), Builtin: m.Builtin, Loaded: true, Enabled: entry.Enabled,
		Asked: m.Asked, Granted: m.Granted, Uncovered: m.Uncovered, Failed: m.Failed,
		Requires: m.Requires, RequiredBy: m.RequiredBy,
	}
	if !m.Builtin {
		r.Signer = s.library.ruling(m.Name).signer()
	}
	for _, c := range m.Commands {
		r.Commands = append(r.Commands, c.Alias)
	}
	return r
}

// known names the modules that config.toml names, and the built-in ones.
func (s *setup) known() []string {
	names := map[string]string{fold(config.CheckHelpers): config.CheckHelpers, fold(config.CheckSystem): config.CheckSystem}
	for name := range s.config.Modules {
		if _, builtin := config.Builtin(name); !builtin {
			names[fold(name)] = name
		}
	}
	return slices.Sorted(maps.Values(names))
}

// otherModule is a module that is not loaded, as far as its file tells.
func (s *setup) otherModule(name string) rest.Module {
	entry, _ := s.config.Module(name)
	r := rest.Module{Name: name, State: "unloaded", Enabled: entry.Enabled, Granted: entry.Allow.Strings()}
	if _, r.Builtin = config.Builtin(name); r.Builtin {
		r.Commands = builtinCommands(name)
		return r
	}
	path, err := s.library.path(name)
	var m *zipmod.Module
	if err == nil {
		m, err = s.library.manifest(path)
	}
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	r.Title, r.Description, r.Version, r.Digest, r.Requires = m.Title, m.Description, m.Version, m.Digest, m.Requires
	r.Signer = s.library.ruling(m.Name).signer()
	for _, script := range m.Scripts {
		r.Commands = append(r.Commands, script.Alias)
	}
	return r
}

// scripts are those of the loaded modules.
func (s *server) scripts() (list []rest.Script) {
	now := s.now.Load()
	for _, c := range s.agent.Commands() {
		if c.File != "" {
			list = append(list, rest.Script{Module: c.Module, File: c.File, Alias: c.Alias, Provider: c.Provider, Content: func() ([]byte, error) { return now.script(c) }})
		}
	}
	return list
}

// script is the text of a script, as it was read.
func (s *setup) script(c agent.Command) ([]byte, error) {
	if m := s.library.read(c.Module).module; m != nil {
		for _, f := range m.Files {
			if f.Name == c.File {
				return bytes.Clone(f.Data), nil
			}
		}
	}
	return nil, fmt.Errorf("script %s of module %s: %w", c.File, c.Module, fs.ErrNotExist)
}

// settings are what config.toml says and its defaults.
func (s *server) settings() (list []rest.Setting) {
	for _, v := range s.now.Load().config.Settings() {
		list = append(list, rest.Setting{Path: v.Table, Key: v.Key, Value: v.Value, Secret: v.Secret})
	}
	return list
}

// auditAction writes down what a user of the REST API has told the agent to do.
func (s *server) auditAction(a rest.Action) {
	s.auditTold(audit.Line{Action: a.Name, Module: a.Module, Digest: a.Digest, User: a.User, By: a.By, Peer: a.Peer.String()}, a.Err)
}

// auditTold writes down what the agent was told to do, and what came of it.
func (s *server) auditTold(line audit.Line, err error) {
	line.Event, line.Done = audit.Told, new(err == nil)
	if err != nil {
		line.Why = err.Error()
	}
	s.now.Load().audit.Write(line)
}
