package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A change is the next table in the making. Requests see all of it or nothing.
type change struct {
	agent   *Agent
	table   *table
	added   []*module // each after those that it requires
	removed []*module
	checked map[string]bool // modules of the table that require no module in the making
}

// change makes a change of the table, then runs the on_start lines of what it
// added. Nothing remains of a change that fails.
func (a *Agent) change(ctx context.Context, edit func(*change) error) (*change, error) {
	c, err := a.commit(edit)
	if err != nil {
		return nil, err
	}
	for _, m := range c.removed {
		m.release()
	}
	for _, m := range c.added {
		a.start(ctx, m)
	}
	return c, nil
}

func (a *Agent) commit(edit func(*change) error) (*change, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	c := &change{agent: a, table: a.table.Load().clone(), checked: make(map[string]bool)}
	if c.table.closed {
		return nil, errClosed
	}
	if err := edit(c); err != nil {
		return nil, errors.Join(err, c.abandon())
	}
	a.table.Store(c.table)
	return c, nil
}

// abandon closes what the change has opened, the last first.
func (c *change) abandon() error {
	var errs []error
	for i := len(c.added) - 1; i >= 0; i-- {
		c.added[i].release()
		errs = append(errs, c.added[i].wait(context.Background()))
	}
	return errors.Join(errs...)
}

// module returns a new module, which the change has to close from now on.
func (c *change) module(name string) *module {
	c.agent.modules++
	m := newModule(name, c.agent.modules, c.agent.config.Log)
	c.added = append(c.added, m)
	return m
}

// remove takes a module out of the table, to be closed once the change is made.
func (c *change) remove(m *module) {
	c.table.remove(m)
	c.removed = append(c.removed, m)
}

// prune removes the modules that nobody needs any more.
func (c *change) prune() {
	for m := c.table.orphan(); m != nil; m = c.table.orphan() {
		c.remove(m)
	}
}

// load loads a zip module after those that it requires. trail names the modules
// that are waiting for it.
func (c *change) load(ctx context.Context, zip *zipmod.Module, trail []string) error {
	if err := c.requireAll(ctx, zip, trail); err != nil {
		return err
	}
	if c.agent.config.Providers == nil {
		return fmt.Errorf("module %s: there are no providers for scripts", zip.Name)
	}
	settings := c.agent.config.Grants(zip.Name)
	settings.Commands = c.agent.commandsOf(zip)
	loaded, err := c.agent.config.Providers.Load(ctx, zip, settings.Grant)
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
	if m := c.table.modules[fold(name)]; m != nil {
		return c.recheck(ctx, m, trail)
	}
	if b, ok := c.agent.builtins[fold(name)]; ok {
		return c.openBuiltin(b)
	}
	zip, err := c.agent.config.Find(name, by)
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

// recheck looks for a circle through a module that is loaded already: it can
// close one only if its requirements lead back to a module in the making.
func (c *change) recheck(ctx context.Context, m *module, trail []string) error {
	if m.zip == nil || c.checked[fold(m.name)] {
		return nil
	}
	err := c.requireAll(ctx, m.zip, trail)
	c.checked[fold(m.name)] = err == nil
	return err
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
