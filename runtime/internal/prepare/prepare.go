// Package prepare makes any WASI preview 1 program boundable before a
// WebAssembly engine compiles it: it rewrites the binary so that the program
// itself counts what it executes, and hands control back when its allowance is
// spent.
//
// It is one pipeline over the binary, each step a function of the module:
// decode, refuse, survey, lift the data, limit tables, meter, encode.
//
// Guarantees, whatever the bytes are:
//
//   - Prepare never panics, and what it allocates is in proportion to the bytes
//     that it was given.
//   - A program that is accepted does, rewritten, what it did before, but for the
//     bounds; it validates if it validated before.
//   - A program can neither reach the counters nor call the functions that were
//     added: every index in it is checked against what it declares itself.
//
// What the rewritten program counts is documented at Prepare. The binary format is
// that of https://webassembly.github.io/spec/core/binary/, version 2.0.
//
// Everything is a pure function of its arguments and safe for concurrent use.
package prepare

import (
	"math"

	"github.com/wasmagent/wasmagent/policy"
)

// What the embedder provides to a rewritten program and finds in it.
const (
	// TickModule and TickName are the import module and name of the tick function,
	// (i64) -> i64. It is called when the fuel is spent, with the fuel left, which
	// is below zero, and returns the new fuel. It stops the run by panicking in Go.
	//
	// The count so far is what was handed out minus the fuel left: a tick that
	// returns left+slice hands out a slice and keeps the count exact. A program
	// starts with no fuel, so the first thing that it does is to tick.
	TickModule = "wasmagent"
	TickName   = "tick"
	// StackExhausted is what the tick function gets instead of the fuel left when the
	// call stack has outgrown what the program has for it: FirstStack bytes, or
	// policy.Limits.Stack if that is less. It returns how many bytes more there are,
	// Program.Stack, when it is called so first, and is called again when they are not
	// enough; the program traps if it returns then.
	StackExhausted = -1 << 63
	FirstStack     = 32 << 10
	// FuelExport is the exported mutable i64 global that holds the fuel left.
	FuelExport = reserved + "fuel"
)

// A Program is a binary that has been made ready to compile.
type Program struct {
	// Wasm is the rewritten binary, without the data that is in Image.
	Wasm []byte
	// Image is what memory holds before the first instruction, beside zeros: in
	// order and apart from one another.
	Image []Part
	// Reactor says that the program is a reactor, with a function check, not a command.
	Reactor bool
	// Init names the exported functions to call once, in this order, before Entry. They
	// have neither parameters nor results.
	Init []string
	// Entry names the exported functions whose calls, in this order, are a run: check of a
	// reactor, which returns the exit status, an i32; those of a command return nothing.
	Entry []string
	// Globals names the exports of all variables but the fuel, if they and memory are
	// all that the program can change of itself. Otherwise Changes says what else. The
	// last of them holds the bytes of stack that are left.
	Globals []string
	Changes string
	// Interpret says that a function is larger than policy.Limits.CompiledBody, or
	// would be as costly to compile: the program must not be compiled.
	Interpret bool
	// Memory is the declared minimum of the linear memory in bytes.
	Memory uint64
	// Entries is how many entries the tables have at first and the element segments,
	// together.
	Entries uint64
	// Stack is how many bytes of stack the program may have beyond the first.
	Stack int64
	// Instructions is how many the functions have together, before the rewriting.
	Instructions uint64
}

// Prepare rewrites a WASI preview 1 command, or a reactor with a function check. The
// limits must have their defaults filled in. An error says what the file is, or all
// that is wrong with it, and what to do.
//
// The rewritten program counts as follows, on every machine alike. Entering a
// function costs as much as the longest way through it, and entering or repeating a
// loop as much as the longest way through that, each without the loops within: one
// for each instruction, so that no less is counted than is executed, and more where a
// shorter way is taken. A call of an imported function, and a growth of the memory, cost
// hostCall. A bulk operation on memory or a table costs one more for each 16 bytes or
// entries. Costs are charged before what they pay for is executed.
//
// It estimates the bytes of native stack that each function takes, and calls the
// tick function with StackExhausted before the sum over the functions on the stack,
// but for those that call no other, exceeds limits.Stack. Functions that no chain of
// calls leads back to are not counted while they run: each is on the stack once at
// most, and the most that they can take together there is kept for them from the
// beginning.
func Prepare(wasm []byte, limits policy.Limits) (Program, error) {
	m, err := decode(wasm, limits)
	if err != nil {
		return Program{}, err
	}
	if err := refuse(m, limits); err != nil {
		return Program{}, err
	}
	profiles, err := survey(m, limits)
	if err != nil {
		return Program{}, err
	}
	memory := uint64(m.memories[0].min) * pageSize
	p := Program{Image: lift(m, profiles, memory), Memory: memory, Reactor: !m.command()}
	p.Entries = uint64(m.elementEntries()) + m.tableEntries()
	p.Init, p.Entry = m.initAndEntry()
	limitTables(m, uint32(min(int64(limits.TableEntries), math.MaxUint32)))
	first := min(limits.Stack, FirstStack)
	meter(m, profiles, first)
	p.Stack = int64(limits.Stack - first)
	if p.Changes = changes(m, profiles); p.Changes == "" {
		p.Globals = exportGlobals(m)
	}
	p.Wasm, p.Interpret = encode(m), costly(m, profiles, limits)
	for _, f := range profiles {
		p.Instructions += f.instructions
	}
	return p, nil
}

// costly tells whether compiling some function would take more than that of an
// ordinary function of limits.CompiledBody bytes.
func costly(m *module, profiles []profile, limits policy.Limits) bool {
	for n, p := range profiles {
		if max(uint64(len(m.bodies[n].code)), p.work) > uint64(limits.CompiledBody) {
			return true
		}
	}
	return false
}

// limitTables lets no table grow beyond a number of entries.
func limitTables(m *module, entries uint32) {
	for i := range m.tables {
		size := &m.tables[i].size
		if !size.bounded || size.max > entries {
			size.max, size.bounded = entries, true
		}
	}
}
