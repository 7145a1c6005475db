package agent

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A module is one version of a module while it is loaded, and until the last
// run on it has ended.
type module struct {
	name        string
	number      uint64 // counts the modules of the agent, in the order of loading
	log         *slog.Logger
	commands    []*command
	zip         *zipmod.Module    // of a zip module
	subscribers []*subscriber     // as many as it subscribes, if they are told
	loaded      *providers.Loaded // of a zip module
	builtin     Builtin           // of a builtin module

	// wanted is whether somebody asked for it, beside modules that require it.
	wanted atomic.Bool
	// failed are the on_start lines that failed, with the reasons.
	failed atomic.Pointer[[]string]

	// holds counts the runs in flight, and one for being in the table. At zero
	// the module is closed, and then nothing can hold it again.
	holds  atomic.Int64
	closed chan struct{} // closed after err is set
	err    error         // of closing
}

// A command is one command of a module.
type command struct {
	module *module
	alias  string
	names  []string // by which it is found, alias first
	runner check.Runner
	plan   providers.Plan // of a script
}

// newModule returns a module without commands, held once.
func newModule(name string, number uint64, log *slog.Logger) *module {
	m := &module{name: name, number: number, log: log, closed: make(chan struct{})}
	m.holds.Store(1)
	return m
}

// hold keeps the module open until release. It tells whether the module was
// still open.
func (m *module) hold() bool {
	for {
		n := m.holds.Load()
		if n == 0 {
			return false
		}
		if m.holds.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release ends a hold. Closing after the last one is not the business of the
// run that happened to be the last.
func (m *module) release() {
	if m.holds.Add(-1) == 0 {
		go m.close()
	}
}

func (m *module) close() {
	if m.builtin != nil {
		m.err = m.builtin.Close()
	}
	if m.loaded != nil {
		m.err = m.loaded.Close()
	}
	if m.err != nil {
		m.err = fmt.Errorf("closing module %s: %w", m.name, m.err)
		m.log.Warn("a module was not closed cleanly", "module", m.name, "error", m.err)
	}
	close(m.closed)
}

// wait waits until the module is closed and returns the error of that, or until
// ctx ends.
func (m *module) wait(ctx context.Context) error {
	select {
	case <-m.closed:
		return m.err
	case <-ctx.Done():
		return fmt.Errorf("module %s is unloaded and will be closed when its last run has ended: %w", m.name, context.Cause(ctx))
	}
}

// requires lists the modules that it requires.
func (m *module) requires() []string {
	if m.zip == nil {
		return nil
	}
	return m.zip.Requires
}

// needs tells whether it requires the module of a name.
func (m *module) needs(name string) bool {
	return slices.ContainsFunc(m.requires(), func(r string) bool { return fold(r) == fold(name) })
}

// add gives the module a command, to be found by its alias and as MODULE.alias,
// which for a builtin one is the alias itself where that begins with MODULE.
func (m *module) add(alias string, runner check.Runner, plan providers.Plan) {
	names := []string{alias, m.name + "." + alias}
	if m.builtin != nil && strings.HasPrefix(fold(alias), fold(m.name+".")) {
		names = names[:1]
	}
	m.commands = append(m.commands, &command{module: m, alias: alias, names: names, runner: runner, plan: plan})
}
