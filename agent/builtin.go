package agent

import (
	"maps"
	"slices"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
)

// A Builtin is a module that is compiled in.
type Builtin interface {
	// Description is one sentence for people.
	Description() string
	// Commands are the module's commands by alias. An alias that begins with
	// MODULE and a dot stands for itself only.
	Commands() map[string]check.Runner
	// Close ends the module. No run is in flight.
	Close() error
}

// An available is a builtin module that can be loaded.
type available struct {
	name string
	open func() Builtin
}

// AddBuiltin makes a builtin module available under a name, the MODULE of
// MODULE.alias: open is called when the module is loaded, because it was asked
// for or because another module requires it. From then on no zip module can have
// its name.
func (a *Agent) AddBuiltin(name string, open func() Builtin) {
	a.changing.Lock()
	defer a.changing.Unlock()
	a.builtins[fold(name)] = available{name: name, open: open}
}

// openBuiltin puts a builtin module into the table, which it starts if it is not
// loaded.
func (c *change) openBuiltin(b available) error {
	if have := c.old.modules[fold(b.name)]; have != nil && c.same(b.name) {
		return c.table.add(have)
	}
	m := c.module(b.name)
	m.builtin = b.open()
	commands := m.builtin.Commands()
	for _, alias := range slices.Sorted(maps.Keys(commands)) {
		m.add(alias, commands[alias], providers.Plan{})
	}
	return c.table.add(m)
}
