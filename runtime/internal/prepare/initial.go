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

// entry is the export that a run calls.
func (m *module) entry() string {
	if m.exported(commandEntry) >= 0 {
		return commandEntry
	}
	return reactorEntry
}

// initial makes an export of the start section's function, so that it can be called
// once and not with every instance, and lists what is to be called before the entry.
func initial(m *module) (names []string) {
	if m.start != nil {
		m.exports = append(m.exports, export{name: startExport, kind: kindFunction, index: *m.start})
		m.start, names = nil, append(names, startExport)
	}
	if m.entry() == reactorEntry && m.exported(initialize) >= 0 {
		names = append(names, initialize)
	}
	return names
}

// fresh says why what a program is after its initialisation cannot be kept for its
// runs, if so: something of it is neither in memory nor in a global that is a number.
func fresh(m *module, profiles []profile) string {
	switch {
	case len(m.data) > 0:
		return "it has data segments that are not copied to memory at the start"
	case slices.ContainsFunc(profiles, func(p profile) bool { return p.tables }):
		return "it changes its tables of functions while it runs"
	case slices.ContainsFunc(m.globals, func(g global) bool {
		return g.mutable && g.kind != typeI32 && g.kind != typeI64 && g.kind != typeF32 && g.kind != typeF64
	}):
		return "it has a variable (a mutable global) that is a vector or a reference"
	}
	return ""
}

// exportGlobals makes exports of all variables, whose names it returns.
func exportGlobals(m *module) (names []string) {
	for i, g := range m.globals {
		if g.mutable {
			name := fmt.Sprint(reserved, "global.", i)
			m.exports = append(m.exports, export{name: name, kind: kindGlobal, index: uint32(i)})
			names = append(names, name)
		}
	}
	return names
}
