package agent

import (
	"context"
	"errors"
	"fmt"
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
	_, err := a.change(ctx, func(c *change) error {
		if err := c.checkName(zip.Name); err != nil {
			return err
		}
		if have := c.table.modules[fold(zip.Name)]; have != nil {
			return adopt(have, zip)
		}
		if err := c.load(ctx, zip, nil); err != nil {
			return err
		}
		c.table.modules[fold(zip.Name)].wanted.Store(true)
		return nil
	})
	return err
}

// adopt makes a module wanted that a requirement brought in.
func adopt(have *module, zip *zipmod.Module) error {
	switch {
	case have.wanted.Load():
		return fmt.Errorf("module %s is loaded already; reload it", have.name)
	case have.zip.Digest != zip.Digest:
		return fmt.Errorf("module %s is loaded already because another module requires it, and from another file; keep one of the two files", have.name)
	}
	have.wanted.Store(true)
	return nil
}

// LoadBuiltin loads a builtin module. One that is loaded already stays when
// those that require it go.
func (a *Agent) LoadBuiltin(ctx context.Context, name string) error {
	_, err := a.change(ctx, func(c *change) error {
		b, ok := c.agent.builtins[fold(name)]
		if !ok {
			return fmt.Errorf("no module %q is built in", name)
		}
		if c.table.modules[fold(name)] == nil {
			if err := c.openBuiltin(b); err != nil {
				return err
			}
		}
		c.table.modules[fold(name)].wanted.Store(true)
		return nil
	})
	return err
}

// Reload puts a new version of a loaded module in the place of the old one,
// with what it requires now. Requests see one or the other; runs in flight end
// on the old one, which is closed after them. If the new one cannot be loaded,
// the old one stays.
func (a *Agent) Reload(ctx context.Context, zip *zipmod.Module) error {
	_, err := a.change(ctx, func(c *change) error {
		old := c.table.modules[fold(zip.Name)]
		if old == nil || old.zip == nil {
			return fmt.Errorf("no zip module %s is loaded that could be reloaded; load it", zip.Name)
		}
		c.remove(old)
		if err := c.load(ctx, zip, nil); err != nil {
			return err
		}
		c.table.modules[fold(zip.Name)].wanted.Store(old.wanted.Load())
		c.prune()
		return nil
	})
	return err
}

// Unload takes a module away, and those that only it required. It returns once
// they are closed, which is when the last run on them has ended; if ctx ends
// before, that happens without it. A module that others require stays, and the
// error names them.
func (a *Agent) Unload(ctx context.Context, name string) error {
	c, err := a.change(ctx, func(c *change) error {
		m := c.table.modules[fold(name)]
		if m == nil {
			return fmt.Errorf("no module %s is loaded", name)
		}
		if by := c.table.requirers(m); len(by) > 0 {
			return fmt.Errorf("module %s is required by %s; unload that first", m.name, strings.Join(by, ", "))
		}
		c.remove(m)
		c.prune()
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range c.removed {
		errs = append(errs, m.wait(ctx))
	}
	return errors.Join(errs...)
}

// checkName keeps the names of builtin modules theirs.
func (c *change) checkName(name string) error {
	if b, ok := c.agent.builtins[fold(name)]; ok {
		return fmt.Errorf("module %s has the name of a builtin module, %s; rename its file", name, b.name)
	}
	return nil
}
