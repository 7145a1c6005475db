package prepare

import (
	"fmt"
	"slices"
)

// The exports by which a program is run. A command has _start, a reactor check and
// perhaps _initialize
// (https://github.com/WebAssembly/WASI/blob/main/legacy/application-abi.md).
const (
	commandEntry = "_start"
	reactorEntry = "check"
	initialize   = "_initialize"
)

// reserved begins the names of exports that a program cannot have, for the
// rewriting adds such.
const reserved = "wasmagent."

// startExport is the export that the start section's function becomes.
const startExport = reserved + "start"

// command tells whether the module is a command, not a reactor.
func (m *module) command() bool { return m.exported(commandEntry) >= 0 }

// initAndEntry are the exports to call, for all runs and for each. It makes an export of
// the start section's function, which would be called with every instance.
func (m *module) initAndEntry() (init, entry []string) {
	if m.start != nil {
		m.exports = append(m.exports, export{name: startExport, kind: kindFunction, index: *m.start})
		m.start, init = nil, append(init, startExport)
	}
	if m.command() {
		return nil, append(init, commandEntry)
	}
	if m.exported(initialize) >= 0 {
		init = append(init, initialize)
	}
	return init, []string{reactorEntry}
}

// changes says what of itself a program can change beside memory and numbers; empty if
// there is nothing.
func changes(m *module, profiles []profile) string {
	switch {
	case len(m.data) > 0:
		return "it has data segments that are not copied to memory at the start"
	case slices.ContainsFunc(profiles, func(p profile) bool { return p.references }):
		return "it makes references to functions, or changes tables of them, while it runs"
	case slices.ContainsFunc(m.globals, func(g global) bool { return g.mutable && !isNumber(g.kind) }):
		return "it has a variable (a mutable global) that is a vector or a reference"
	}
	return ""
}

func isNumber(kind byte) bool {
	return kind == typeI32 || kind == typeI64 || kind == typeF32 || kind == typeF64
}

// exportGlobals makes exports of all variables but the fuel, which is one, and returns
// their names.
func exportGlobals(m *module) (names []string) {
	fuel := int(m.exports[m.exported(FuelExport)].index)
	for i, g := range m.globals {
		if name := fmt.Sprint(reserved, "global.", i); g.mutable && i != fuel {
			m.exports = append(m.exports, export{name: name, kind: kindGlobal, index: uint32(i)})
			names = append(names, name)
		}
	}
	return names
}
