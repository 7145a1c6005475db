package main

import (
	"errors"
	"log/slog"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/policy"
)

// newAudit is the audit log of a configuration.
func newAudit(c config.Config, log *slog.Logger) *audit.Log {
	return audit.New(audit.Config{File: c.Audit.Path, Size: int64(c.Audit.Size), Keep: c.Audit.Keep, Log: log})
}

// auditUntrusted writes down the modules that were refused for whose they are.
func auditUntrusted(l *audit.Log, err error) {
	for _, err := range each(err) {
		if u := (untrustedError{}); errors.As(err, &u) {
			l.Write(audit.Line{Event: audit.Untrusted, Module: u.module, Digest: string(u.digest), Why: u.reason.Error()})
		}
	}
}

// audited loads modules for an agent that stays, and writes down which of them
// are restricted, as far as they were not loaded before.
func (s *setup) audited(load func() error) error {
	before := s.agent.Modules()
	err := load()
	s.auditStrict(before, err)
	for _, m := range s.agent.Modules() {
		if old, known := named(before, m.Name); len(m.Uncovered) > 0 && (!known || old.Digest != m.Digest) {
			s.auditRestricted(before, agent.RestrictedError{Name: m.Name, Digest: m.Digest, Version: m.Version, Asked: m.Asked, Uncovered: m.Uncovered}, true)
		}
	}
	return err
}

// auditStrict writes down the modules that are strict and so are not loaded.
func (s *setup) auditStrict(before []agent.Status, err error) {
	for _, err := range each(err) {
		if r := (*agent.RestrictedError)(nil); errors.As(err, &r) {
			s.auditRestricted(before, *r, false)
		}
	}
}

func (s *setup) auditRestricted(before []agent.Status, r agent.RestrictedError, loaded bool) {
	line := audit.Line{Event: audit.Restricted, Module: r.Name, Digest: r.Digest, Version: r.Version, Loaded: &loaded, Uncovered: r.Uncovered}
	if old, known := named(before, r.Name); known {
		line.New = beyond(r.Asked, old.Asked)
	}
	s.audit.Write(line)
}

// named finds a module by its name.
func named(modules []agent.Status, name string) (agent.Status, bool) {
	for _, m := range modules {
		if fold(m.Name) == fold(name) {
			return m, true
		}
	}
	return agent.Status{}, false
}

// beyond lists what a module asks for that its version before did not.
func beyond(asked, before policy.Patterns) policy.Patterns {
	return policy.Access{Asked: asked, Granted: before.Grants()}.Uncovered()
}

// auditGranted writes down the grants that were written to a configuration.
func (s *setup) auditGranted(module string, grants policy.Grants) {
	newAudit(s.config, s.log).Write(audit.Line{Event: audit.Granted, Module: module, Grants: grants.Strings()})
}
