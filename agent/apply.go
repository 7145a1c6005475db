package agent

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/zipmod"
)

// A Selection is what modules are to be loaded, and what the operator says about
// modules.
type Selection struct {
	// Builtins are the names of the builtin modules, and Modules the zip modules,
	// that are wanted by themselves. What they require is found as by Load.
	Builtins []string
	Modules  []*zipmod.Module
	// Find and Grants take the place of those of the Config. Neither is nil, nor is Same.
	Find   func(name string, by *zipmod.Module) (*zipmod.Module, error)
	Grants func(module string) Settings
	// Same tells whether Grants says of a module what was said before, and whether
	// AddBuiltin has the same for a builtin one. A module of which that is so, and
	// whose zip is the same, goes on as it is.
	Same func(module string) bool
}

// Applied are the names of the modules that Apply has changed, sorted.
type Applied struct {
	Loaded, Replaced, Unloaded []string
}

// Apply loads, replaces and unloads modules so that those of a selection are loaded,
// with what they require, and no others. It is one change: requests see the modules
// before or those after it, and runs in flight end on the version that they began on.
// Modules that stay the same are not touched.
//
// The error names everything that stood in the way; all is then as it was.
func (a *Agent) Apply(ctx context.Context, s Selection) (Applied, error) {
	p := a.preparation()
	p.loaded, p.find, p.grants = func(string) *zipmod.Module { return nil }, s.Find, s.Grants
	p.make(ctx, s.Modules, func(zip *zipmod.Module) bool { return s.Same(zip.Name) && a.table.Load().has(zip) })
	c, err := a.change(ctx, p, func(c *change) error {
		c.same = s.Same
		if err := c.selected(ctx, s); err != nil {
			return err
		}
		a.find, a.grants = s.Find, s.Grants
		a.round++
		return nil
	})
	if err != nil {
		return Applied{}, err
	}
	return c.applied(), nil
}

// selected wants the modules of a selection.
func (c *change) selected(ctx context.Context, s Selection) error {
	var errs []error
	for _, name := range s.Builtins {
		errs = append(errs, c.wantBuiltin(name))
	}
	for _, zip := range s.Modules {
		errs = append(errs, c.want(ctx, zip))
	}
	return errors.Join(errs...)
}

// applied tells what has become of the modules.
func (c *change) applied() (is Applied) {
	for _, m := range c.added {
		if c.old.modules[fold(m.name)] != nil {
			is.Replaced = append(is.Replaced, m.name)
		} else {
			is.Loaded = append(is.Loaded, m.name)
		}
	}
	for _, m := range c.removed() {
		if c.table.modules[fold(m.name)] == nil {
			is.Unloaded = append(is.Unloaded, m.name)
		}
	}
	for _, list := range [][]string{is.Loaded, is.Replaced, is.Unloaded} {
		slices.SortFunc(list, func(a, b string) int { return strings.Compare(fold(a), fold(b)) })
	}
	return is
}
