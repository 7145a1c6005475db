package prepare

import (
	"fmt"
	"slices"

	"github.com/wasmagent/wasmagent/policy"
)

// What a module may hold, beside policy.Limits. Each is far beyond what compilers
// emit, and keeps the memory that a module takes in proportion to its file.
const (
	maxTypes     = 10_000
	maxTyped     = 100_000 // parameters and results of all types
	maxParams    = 1000
	maxResults   = 32
	maxImports   = 1000
	maxTables    = 16
	maxMemories  = 16 // read, to be refused
	maxGlobals   = 1000
	maxExports   = 100_000
	maxElements  = 10_000
	maxSegments  = 500_000
	maxNesting   = 25_000    // of blocks; Go nests one for each call in a function
	maxLocals    = 10_000    // of one function, with its parameters
	maxAllLocals = 4_000_000 // of all functions
	maxValues    = 100 << 20 // that calls, blocks and branches of all functions hand over
)

// A decoder reads the sections of a module.
type decoder struct {
	module
	limits policy.Limits
}

// A section is how to read one kind of section.
type section struct {
	id   byte
	read func(*decoder, *reader)
}

const customSection = 0

// sections are the known sections in the order that they must have.
var sections = []section{
	{1, (*decoder).readTypes},
	{2, (*decoder).readImports},
	{3, func(d *decoder, r *reader) {
		d.functions = vector(r, "functions", d.limits.Functions, 1, (*reader).unsigned)
	}},
	{4, func(d *decoder, r *reader) { d.tables = vector(r, "tables", maxTables, 3, readTable) }},
	{5, func(d *decoder, r *reader) { d.memories = vector(r, "memories", maxMemories, 2, readSize) }},
	{13, func(_ *decoder, r *reader) { r.refuse("the program uses " + proposal(opThrow)) }},
	{6, func(d *decoder, r *reader) { d.globals = vector(r, "globals", maxGlobals, 4, readGlobal) }},
	{7, func(d *decoder, r *reader) { d.exports = vector(r, "exports", maxExports, 3, readExport) }},
	{8, func(d *decoder, r *reader) { d.start = new(r.unsigned()) }},
	{9, func(d *decoder, r *reader) { d.elements = vector(r, "element segments", maxElements, 2, readElement) }},
	{12, func(d *decoder, r *reader) { d.counted = new(r.unsigned()) }},
	{10, func(d *decoder, r *reader) { d.bodies = vector(r, "functions", d.limits.Functions, 3, readBody) }},
	{11, func(d *decoder, r *reader) { d.data = vector(r, "data segments", maxSegments, 2, readSegment) }},
}

// decode reads a module whole, but for the instructions of its functions. Its
// error is the first thing that is wrong.
func decode(wasm []byte, limits policy.Limits) (*module, error) {
	if err := identify(wasm); err != nil {
		return nil, err
	}
	if int64(len(wasm)) > int64(limits.Program) {
		return nil, fmt.Errorf("the program has %d bytes and the limit is %s: strip its debug information or raise the limit \"program\"", len(wasm), limits.Program)
	}
	d := decoder{limits: limits}
	r := &reader{bytes: wasm[headerSize:], end: len(wasm)}
	for next := 0; r.more(); {
		next = d.section(r, next)
	}
	if r.err == nil && len(d.functions) != len(d.bodies) {
		r.fail("%d functions are declared and %d are there", len(d.functions), len(d.bodies))
	}
	if r.err == nil && d.counted != nil && int(*d.counted) != len(d.data) {
		r.fail("%d data segments are announced and %d are there", *d.counted, len(d.data))
	}
	return &d.module, r.err
}

// section reads a section, which must be one of sections[next:] or a custom one,
// and returns where the following one must be.
func (d *decoder) section(r *reader, next int) int {
	id := r.byte()
	content := r.within(r.unsigned())
	if id == customSection {
		content.name()
		r.err = content.err
	}
	if id == customSection || r.err != nil {
		return next
	}
	i := slices.IndexFunc(sections[next:], func(s section) bool { return s.id == id })
	if i < 0 {
		r.fail("section %d is unknown or out of order", id)
		return next
	}
	sections[next+i].read(d, content)
	if content.more() {
		content.fail("section %d is longer than what it holds", id)
	}
	r.err = content.err
	return next + i + 1
}

func (d *decoder) readTypes(r *reader) {
	d.types = vector(r, "types", maxTypes, 3, readSignature)
	size := uint64(0)
	for _, t := range d.types {
		size += t.size()
	}
	if size > maxTyped {
		r.refuse(fmt.Sprintf("the types of functions have %d parameters and results together and at most %d are allowed: build it smaller", size, maxTyped))
	}
}

func readSignature(r *reader) signature {
	if form := r.byte(); form != 0x60 {
		r.fail("%#x is no function type", form)
	}
	params := r.valueTypes("parameters", maxParams)
	return signature{params, r.valueTypes("results", maxResults)}
}

// valueTypes reads a vector of value types.
func (r *reader) valueTypes(what string, max int) []byte {
	n := r.count(1)
	if n > max {
		r.refuse(fmt.Sprintf("a function has %d %s and at most %d are allowed: pass them in memory", n, what, max))
	}
	types := r.take(uint64(n))
	for _, t := range types {
		if !slices.Contains([]byte{typeI32, typeI64, typeF32, typeF64, typeV128, typeFuncref, typeExternref}, t) {
			r.fail("%#x is no value type", t)
		}
	}
	return types
}

func (d *decoder) readImports(r *reader) {
	for _, i := range vector(r, "imports", maxImports, 4, readImport) {
		if i.kind == kindFunction {
			d.imports = append(d.imports, i)
		} else {
			d.foreign = append(d.foreign, i)
		}
	}
}

func readImport(r *reader) imported {
	i := imported{module: r.name(), name: r.name(), kind: r.byte()}
	switch i.kind {
	case kindFunction:
		i.index = r.unsigned()
	case kindTable:
		readTable(r)
	case kindMemory:
		readSize(r)
	case kindGlobal:
		r.take(2)
	case kindTag:
		r.byte()
		r.unsigned()
	default:
		r.fail("%#x is no kind of import", i.kind)
	}
	return i
}

func readTable(r *reader) table {
	t := table{element: r.byte()}
	if t.element != typeFuncref && t.element != typeExternref {
		r.fail("%#x is no type of a table's entries", t.element)
	}
	if t.size = readSize(r); t.size.shared {
		r.fail("a table is shared")
	}
	return t
}

func readSize(r *reader) size {
	flags := r.byte()
	if flags > 3 {
		r.refuse("the program uses 64-bit memory or tables, which is not supported; build it for wasm32")
	}
	s := size{bounded: flags&1 != 0, shared: flags&2 != 0, min: r.unsigned()}
	if s.bounded {
		s.max = r.unsigned()
	}
	return s
}

func readGlobal(r *reader) global {
	kind, mutability := r.byte(), r.byte()
	if mutability > 1 {
		r.fail("%#x is no mutability", mutability)
	}
	return global{kind: kind, mutable: mutability == 1, value: r.constant()}
}

// constant reads an expression that is a single constant instruction, and its end.
func (r *reader) constant() instruction {
	in := r.instruction()
	switch in.op {
	case opI32Const, opI64Const, opF32Const, opF64Const, opV128Const, opGlobalGet, opRefNull, opRefFunc:
	default:
		r.fail("an expression that must be constant is not")
	}
	if end := r.byte(); end != byte(opEnd) {
		r.refuse("the program computes in constant expressions, which is not supported; build it without extended-const")
	}
	return in
}

func readExport(r *reader) export {
	return export{name: r.name(), kind: r.byte(), index: r.unsigned()}
}

func readElement(r *reader) element {
	e := element{flags: r.unsigned()}
	if e.flags > elementPassive|elementExplicit|elementValues {
		r.fail("%#x is no kind of element segment", e.flags)
	}
	if e.active() && e.flags&elementExplicit != 0 {
		e.table = r.unsigned()
	}
	if e.active() {
		e.offset = r.constant()
	}
	if e.typed() {
		e.kind = r.byte()
	}
	e.count = uint32(r.count(1))
	all := r.bytes
	for range e.count {
		if r.entry(e.flags); r.err != nil {
			return e
		}
	}
	e.entries = all[:len(all)-len(r.bytes)]
	return e
}

// entry reads an entry of an element segment with those flags.
func (r *reader) entry(flags uint32) instruction {
	if flags&elementValues != 0 {
		return r.constant()
	}
	return instruction{op: opRefFunc, a: r.unsigned()}
}

func readBody(r *reader) body {
	content := r.within(r.unsigned())
	b := body{end: content.end}
	b.locals = vector(content, "groups of locals in a function", maxLocals, 2, func(r *reader) run {
		return run{count: r.unsigned(), kind: r.byte()}
	})
	b.code = content.bytes
	r.err = content.err
	return b
}

func readSegment(r *reader) segment {
	flags := r.unsigned()
	if flags > 2 || flags == 2 && r.unsigned() != 0 {
		r.fail("%#x is no kind of data segment", flags)
	}
	s := segment{passive: flags == 1}
	if !s.passive {
		s.offset = r.constant()
	}
	s.bytes = r.take(uint64(r.unsigned()))
	return s
}
