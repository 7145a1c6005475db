package prepare

// pageSize is the size of a page of linear memory in bytes.
const pageSize = 65536

// The kinds of imports and exports.
const (
	kindFunction = iota
	kindTable
	kindMemory
	kindGlobal
	kindTag
)

// A module is a decoded program. Function bodies and data are parts of the file's
// bytes, not copies.
type module struct {
	types     []signature
	imports   []imported // functions
	foreign   []imported // whatever else is imported, to be refused
	functions []uint32   // the types of the functions defined here
	tables    []table
	memories  []size
	globals   []global
	exports   []export
	start     *uint32
	elements  []element
	counted   *uint32 // the number of data segments, where it is announced
	bodies    []body
	data      []segment
}

// A signature is a function's type; each byte is a value type.
type signature struct{ params, results []byte }

// size is how many parameters and results there are.
func (s signature) size() uint64 { return uint64(len(s.params) + len(s.results)) }

// An imported is something that the program wants from its host; index is a
// function's type.
type imported struct {
	module, name string
	kind         byte
	index        uint32
}

// A size is the bounds of a memory in pages or of a table in entries.
type size struct {
	min, max uint32
	bounded  bool // max counts
	shared   bool
}

type table struct {
	element byte // the type of its entries
	size    size
}

type global struct {
	kind    byte
	mutable bool
	value   instruction // the one instruction that makes the value
}

type export struct {
	name  string
	kind  byte
	index uint32
}

// An element is a segment of function references. What it holds and where that
// goes its flags tell
// (https://webassembly.github.io/spec/core/binary/modules.html#element-section).
type element struct {
	flags   uint32
	table   uint32
	offset  instruction
	kind    byte
	count   uint32
	entries []byte // indices of functions, or expressions, as they are encoded
}

// The bits of an element's flags. A passive one has no place; one that is not, and
// is explicit, names its table. A declared one is both and has no place either.
const (
	elementPassive  = 1 << 0
	elementExplicit = 1 << 1
	elementValues   = 1 << 2
)

func (e element) active() bool { return e.flags&elementPassive == 0 }

// typed tells whether the kind of the entries is written down.
func (e element) typed() bool { return e.flags&(elementPassive|elementExplicit) != 0 }

// each calls f with every entry; an index of a function is given as a ref.func.
func (e element) each(f func(instruction)) {
	for r := (reader{bytes: e.entries}); r.more(); {
		f(r.entry(e.flags))
	}
}

// A body is the code of a function: its locals in runs of one type, and its
// instructions with the last end.
type body struct {
	locals []run
	code   []byte
	end    int // the offset of its end in the file
}

type run struct {
	count uint32
	kind  byte
}

// A segment is data for the memory: active at an offset, or passive.
type segment struct {
	passive bool
	offset  instruction
	bytes   []byte
}

// functionCount is the number of functions, the imported ones, which come first,
// and the others.
func (m *module) functionCount() uint32 { return uint32(len(m.imports) + len(m.functions)) }

// typeOf is the type of a function, given its index.
func (m *module) typeOf(function uint32) signature {
	if int(function) < len(m.imports) {
		return m.types[m.imports[function].index]
	}
	return m.types[m.functions[int(function)-len(m.imports)]]
}
