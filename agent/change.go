package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A change is the next table in the making: whatever is wanted, with what that
// requires. Requests see all of it or nothing. A module that is what it was goes on
// untouched in the new table.
type change struct {
	agent *Agent
	old   *table
	table *table

	preparation *preparation             // what is said about modules, from now on if the change is made
	same        func(module string) bool // whether that is what was said before

	wanted map[string]bool // the modules that were asked for, by folded name
	failed map[string]bool // the modules that could not be loaded, by folded name
	added  []*module       // that are not in the old table, each after those that it requires
}

// change makes a change of the table, then runs the on_start lines of what it
// added. Nothing remains of a change that fails.
func (a *Agent) change(ctx context.Context, p *preparation, edit func(*change) error) (*change, error) {
	c, err := a.commit(p, edit)
	if err := p.close(); err != nil {
		a.config.Log.Warn("scripts that are not needed were not closed cleanly", "error", err)
	}
	if err != nil {
		return nil, err
	}
	for _, m := range c.removed() {
		m.release()
	}
	for _, m := range c.added {
		a.start(ctx, m)
	}
	return c, nil
}

func (a *Agent) commit(p *preparation, edit func(*change) error) (*change, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	c := &change{
		agent: a, old: a.table.Load(), table: newTable(),
		preparation: p, same: func(string) bool { return true },
		wanted: make(map[string]bool), failed: make(map[string]bool),
	}
	if c.old.closed {
		return nil, errClosed
	}
	if err := edit(c); err != nil {
		return nil, errors.Join(err, c.abandon(0))
	}
	for key, m := range c.table.modules {
		m.wanted.Store(c.wanted[key])
	}
	c.subscribers()
	a.table.Store(c.table)
	c.follow()
	return c, nil
}

// abandon closes what the change has opened from its nth module on, the last first, and
// takes it out of the table.
func (c *change) abandon(n int) error {
	var errs []error
	for _, m := range slices.Backward(c.added[n:]) {
		c.table.remove(m)
		m.release()
		errs = append(errs, m.wait(context.Background()))
	}
	c.added = c.added[:n]
	return errors.Join(errs...)
}

// attempt wants the module of a name, or leaves all as it was.
func (c *change) attempt(name string, want func() error) error {
	before, was := len(c.added), c.wanted[fold(name)]
	err := want()
	if err == nil {
		return nil
	}
	c.wanted[fold(name)] = was
	return errors.Join(err, c.abandon(before))
}

// removed lists the modules that the new table does not have, those that require
// others first.
func (c *change) removed() []*module {
	return slices.DeleteFunc(c.old.dependentsFirst(), func(m *module) bool { return c.table.modules[fold(m.name)] == m })
}

// module returns a new module, which the change has to close from now on.
func (c *change) module(name string) *module {
	c.agent.modules++
	m := newModule(name, c.agent.modules, c.agent.config.Log)
	c.added = append(c.added, m)
	return m
}

// others wants what was wanted before, all but the module of a name.
func (c *change) others(ctx context.Context, but string) error {
	var errs []error
	for _, m := range slices.Backward(c.old.dependentsFirst()) {
		switch {
		case !m.wanted.Load() || fold(m.name) == fold(but):
		case m.builtin != nil:
			errs = append(errs, c.wantBuiltin(m.name))
		default:
			errs = append(errs, c.want(ctx, m.zip))
		}
	}
	return errors.Join(errs...)
}

// wantBuiltin loads a builtin module by itself.
func (c *change) wantBuiltin(name string) error {
	b, ok := c.agent.builtins[fold(name)]
	if !ok {
		return fmt.Errorf("no module %q is built in", name)
	}
	c.wanted[fold(name)] = true
	if c.table.modules[fold(name)] != nil {
		return nil
	}
	return c.openBuiltin(b)
}

// want loads a zip module by itself.
func (c *change) want(ctx context.Context, zip *zipmod.Module) error {
	if b, ok := c.agent.builtins[fold(zip.Name)]; ok {
		return fmt.Errorf("module %s has the name of a builtin module, %s; rename its file", zip.Name, b.name)
	}
	c.wanted[fold(zip.Name)] = true
	have := c.table.modules[fold(zip.Name)]
	if have != nil && have.zip.Digest != zip.Digest {
		return fmt.Errorf("module %s is loaded already because another module requires it, and from another file; keep one of the two files", have.name)
	} else if have != nil {
		return nil
	}
	return c.load(ctx, zip, nil)
}

// wantNew is want of a module that nobody asked for yet.
func (c *change) wantNew(ctx context.Context, zip *zipmod.Module) error {
	if have := c.old.modules[fold(zip.Name)]; have != nil && have.zip != nil && have.wanted.Load() {
		return fmt.Errorf("module %s is loaded already; reload it", have.name)
	}
	return c.want(ctx, zip)
}

// load loads a zip module after those that it requires. trail names the modules
// that are waiting for it.
func (c *change) load(ctx context.Context, zip *zipmod.Module, trail []string) error {
	err := c.requireAll(ctx, zip, trail)
	if err == nil {
		err = c.add(ctx, zip)
	}
	c.failed[fold(zip.Name)] = err != nil
	return err
}

// add puts a zip module into the table, the one that is loaded if it is the same.
func (c *change) add(ctx context.Context, zip *zipmod.Module) error {
	if c.old.has(zip) && c.same(zip.Name) {
		return c.table.add(c.old.modules[fold(zip.Name)])
	}
	if c.agent.config.Providers == nil {
		return fmt.Errorf("module %s: there are no providers for scripts", zip.Name)
	}
	settings := c.preparation.grants(zip.Name)
	loaded, err := c.scripts(ctx, zip, settings)
	if err != nil {
		return about(zip.Name, err)
	}
	m := c.module(zip.Name)
	m.zip, m.loaded = zip, loaded
	for _, s := range loaded.Commands {
		m.add(s.Script.Alias, s.Runner, s.Plan)
	}
	if missing := loaded.Access.Uncovered(); settings.Strict && len(missing) > 0 {
		return &RestrictedError{zip.Name, zip.Digest, zip.Version, loaded.Access.Asked, missing}
	}
	return c.table.add(m)
}

// scripts are those of a module, ready to run.
func (c *change) scripts(ctx context.Context, zip *zipmod.Module, s Settings) (*providers.Loaded, error) {
	if m, ready := c.preparation.take(zip); ready {
		return m.loaded, m.err
	}
	return c.agent.load(ctx, zip, s)
}

// load makes the scripts of a module ready to run.
func (a *Agent) load(ctx context.Context, zip *zipmod.Module, s Settings) (*providers.Loaded, error) {
	s.Commands = a.commandsOf(zip)
	return a.config.Providers.Load(ctx, zip, s.Grant)
}

// requireAll loads what a module requires, as far as it is not loaded.
func (c *change) requireAll(ctx context.Context, zip *zipmod.Module, trail []string) error {
	trail = append(slices.Clip(trail), zip.Name)
	var errs []error
	for _, name := range zip.Requires {
		errs = append(errs, c.require(ctx, name, zip, trail))
	}
	return errors.Join(errs...)
}

func (c *change) require(ctx context.Context, name string, by *zipmod.Module, trail []string) error {
	for i, waiting := range trail {
		if fold(waiting) == fold(name) {
			return fmt.Errorf("modules require each other in a circle: %s; take one of them out of modules", strings.Join(append(slices.Clip(trail[i:]), waiting), " -> "))
		}
	}
	if c.table.modules[fold(name)] != nil {
		return nil
	}
	if b, ok := c.agent.builtins[fold(name)]; ok {
		return c.openBuiltin(b)
	}
	if c.failed[fold(name)] {
		return fmt.Errorf("module %s requires module %s, which cannot be loaded", by.Name, name)
	}
	zip, err := c.preparation.require(name, by)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("module %s requires module %s, which is neither built in nor found: %w", by.Name, name, err)
	} else if err != nil {
		return fmt.Errorf("module %s requires module %s: %w", by.Name, name, err)
	}
	if fold(zip.Name) != fold(name) {
		return fmt.Errorf("module %s requires module %s, and what was found is %s", by.Name, name, zip.Name)
	}
	return c.load(ctx, zip, trail)
}

// A RestrictedError is why a strict module is not loaded: it asks for more than
// it is granted.
type RestrictedError struct {
	Name, Digest, Version string   // of the module
	Asked, Uncovered      []string // as those of a Status
}

func (e *RestrictedError) Error() string {
	return fmt.Sprintf("module %s asks for more than it is granted: %s; add that to its allow in config.toml, or set strict = false to load it without", e.Name, strings.Join(e.Uncovered, ", "))
}

// errNotFound is that of a Config without Find.
var errNotFound = fmt.Errorf("there is no place to look for modules: %w", fs.ErrNotExist)

// start runs the on_start lines of a module, in order. A line fails with an
// error or with UNKNOWN; any other state is an answer.
func (a *Agent) start(ctx context.Context, m *module) {
	if m.zip == nil {
		return
	}
	var failed []string
	for i, line := range m.zip.OnStart {
		result, err := a.startLine(ctx, m, line)
		if err == nil && result.State == check.StateUnknown {
			err = errors.New(result.Text)
		}
		if err != nil {
			failed = append(failed, fmt.Sprintf("on_start line %d (%s): %v", i+1, check.Join(line), err))
		}
	}
	m.failed.Store(&failed)
}

// startLine runs one line. It reaches the commands that the module's scripts reach.
func (a *Agent) startLine(ctx context.Context, m *module, line []string) (check.Result, error) {
	path := "/command/" + line[0]
	if command, own := a.commandsOf(m.zip)(line[0]); command != nil && !own && !m.loaded.Access.Allows(path) {
		why := m.loaded.Access.Lacks(path)
		m.loaded.Refused(path, why)
		return check.Result{}, fmt.Errorf("it is the command of a module that this one does not require, and of %s, %s", path, why)
	}
	return a.Run(ctx, check.Request{Command: line[0], Args: line[1:], Origin: check.OnStart})
}

// about puts a module's name before each of the joined errors.
func about(name string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("module %s: %w", name, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, about(name, e))
	}
	return errors.Join(errs...)
}
