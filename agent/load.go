package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/zipmod"
)

// Load loads a zip module: the modules that it requires first, then its own
// scripts, then its on_start lines through the dispatcher. A line that fails
// leaves the module loaded and degraded. The error names everything that stood
// in the way; nothing that Load began is then left.
//
// A module that is loaded already because another one requires it stays when
// that goes.
func (a *Agent) Load(ctx context.Context, zip *zipmod.Module) error {
	return a.LoadEach(ctx, nil, []*zipmod.Module{zip})[0]
}

// LoadBuiltin loads a builtin module. One that is loaded already stays when
// those that require it go.
func (a *Agent) LoadBuiltin(ctx context.Context, name string) error {
	return a.LoadEach(ctx, []string{name}, nil)[0]
}

// LoadEach loads modules as LoadBuiltin and Load do, each whole or not at all, in one
// change: requests see all of those that could be loaded, or none. There is an error
// for each, nil if it is loaded, those of the builtin modules first.
func (a *Agent) LoadEach(ctx context.Context, builtins []string, zips []*zipmod.Module) []error {
	p := a.preparation()
	p.make(ctx, zips, a.table.Load().has)
	errs := make([]error, len(builtins)+len(zips))
	_, err := a.change(ctx, p, func(c *change) error {
		p.renew()
		err := c.others(ctx, "")
		for i, name := range builtins {
			errs[i] = c.attempt(name, func() error { return c.wantBuiltin(name) })
		}
		for i, zip := range zips {
			errs[len(builtins)+i] = c.attempt(zip.Name, func() error { return c.wantNew(ctx, zip) })
		}
		return err
	})
	if err != nil {
		return slices.Repeat([]error{err}, len(errs))
	}
	return errs
}

// Reload puts a new version of a loaded module in the place of the old one,
// with what it requires now. Requests see one or the other; runs in flight end
// on the old one, which is closed after them. If the new one cannot be loaded,
// the old one stays.
func (a *Agent) Reload(ctx context.Context, zip *zipmod.Module) error {
	p := a.preparation()
	p.make(ctx, []*zipmod.Module{zip}, func(z *zipmod.Module) bool { return z != zip && a.table.Load().has(z) })
	_, err := a.change(ctx, p, func(c *change) error {
		have := c.old.modules[fold(zip.Name)]
		if have == nil || have.zip == nil {
			return fmt.Errorf("no zip module %s is loaded that could be reloaded; load it", zip.Name)
		}
		c.same = func(module string) bool { return fold(module) != fold(zip.Name) }
		p.renew()
		if err := c.load(ctx, zip, nil); err != nil {
			return err
		}
		c.wanted[fold(zip.Name)] = have.wanted.Load()
		return c.others(ctx, zip.Name)
	})
	return err
}

// Unload takes a module away, and those that only it required. It returns once
// they are closed, which is when the last run on them has ended; if ctx ends
// before, that happens without it. A module that others require stays, and the
// error names them.
func (a *Agent) Unload(ctx context.Context, name string) error {
	p := a.preparation()
	c, err := a.change(ctx, p, func(c *change) error {
		m := c.old.modules[fold(name)]
		if m == nil {
			return fmt.Errorf("no module %s is loaded", name)
		}
		if by := c.old.requirers(m); len(by) > 0 {
			return fmt.Errorf("module %s is required by %s; unload that first", m.name, strings.Join(by, ", "))
		}
		p.renew()
		return c.others(ctx, name)
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range c.removed() {
		errs = append(errs, m.wait(ctx))
	}
	return errors.Join(errs...)
}
