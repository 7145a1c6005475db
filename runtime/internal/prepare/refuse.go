package prepare

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/policy"
)

// howto says how to build what can run.
const howto = "build a core module for WASI preview 1 (Go: GOOS=wasip1 GOARCH=wasm; Rust: --target=wasm32-wasip1; C: clang --target=wasm32-wasi)"

// headerSize is the size in bytes of the magic number and the version.
const headerSize = 8

// maxMistakes is the most mistakes of one kind that an error lists.
const maxMistakes = 10

// signs are how files that are no WebAssembly begin.
var signs = []struct{ begins, is string }{
	{"\x7fELF", "an executable for Linux or BSD (ELF)"},
	{"MZ", "an executable for Windows"},
	{"\xcf\xfa\xed\xfe", "an executable for macOS"},
	{"\xca\xfe\xba\xbe", "an executable for macOS or a Java class"},
	{"#!", "a script"},
	{"PK\x03\x04", "a zip archive"},
	{"\x1f\x8b", "a gzip file"},
	{"(module", "WebAssembly text; assemble it first (wat2wasm)"},
	{"(component", "WebAssembly text; assemble it first"},
	{"!<arch>", "a static library; link it first"},
}

// identify refuses what is not a core module of WebAssembly 1.
func identify(file []byte) error {
	text := bytes.TrimLeft(file[:min(len(file), 4096)], " \t\r\n\ufeff")
	for _, sign := range signs {
		if bytes.HasPrefix(text, []byte(sign.begins)) {
			return fmt.Errorf("the file is no WebAssembly program but %s; %s", sign.is, howto)
		}
	}
	switch {
	case len(file) == 0:
		return errors.New("the file is empty; " + howto)
	case !bytes.HasPrefix(file, []byte("\x00asm")):
		return fmt.Errorf("the file is no WebAssembly program (it begins with %q); %s", file[:min(len(file), 8)], howto)
	case len(file) < headerSize:
		return errors.New("the file ends within its header (a truncated file?); build it again")
	case file[6] == 1:
		return errors.New("the file is a WebAssembly component (WASI preview 2), which cannot run here; " + howto)
	case !bytes.Equal(file[4:headerSize], []byte{1, 0, 0, 0}):
		return fmt.Errorf("the file has version %x of the WebAssembly format, and only 1 is known; %s", file[4:headerSize], howto)
	}
	return nil
}

// refuse finds all that keeps a module from running within the limits, in all but
// its functions' instructions.
func refuse(m *module, limits policy.Limits) error {
	if err := m.checkIndices(); err != nil {
		return err
	}
	return errors.Join(m.refuseImports(), m.refuseEntry(), m.refuseMemory(limits), m.refuseTables(limits), m.refuseNames())
}

// refuseImports lets only the functions of WASI preview 1 pass.
func (m *module) refuseImports() error {
	var errs []error
	for _, i := range slices.Concat(m.foreign, m.imports) {
		if err := m.refuseImport(i); err != nil {
			errs = append(errs, err)
		}
	}
	if more := len(errs) - maxMistakes; more > 0 {
		errs = append(errs[:maxMistakes], fmt.Errorf("and %d more imports are not there", more))
	}
	return errors.Join(errs...)
}

func (m *module) refuseImport(i imported) error {
	if i.kind != kindFunction {
		kind := [...]string{kindTable: "table", kindMemory: "memory", kindGlobal: "global", kindTag: "tag"}[i.kind]
		return fmt.Errorf("the program imports the %s %.100q.%.100q, and only functions of %s can be imported; link it as a command of its own (clang: no --import-memory, no -shared)", kind, i.module, i.name, preview1)
	}
	if i.module != preview1 {
		return fmt.Errorf("the program imports %.100q.%.100q, which is not there; %s", i.module, i.name, remedy(i.module))
	}
	want, known := preview1Signature(i.name)
	switch {
	case !known:
		return fmt.Errorf("the program imports %.100q, which WASI preview 1 does not have; build it with an unmodified toolchain for WASI preview 1", i.name)
	case !m.types[i.index].equal(want):
		return fmt.Errorf("the program imports %q with a type that is not its own in WASI preview 1; correct its declaration", i.name)
	}
	return nil
}

func (s signature) equal(t signature) bool {
	return bytes.Equal(s.params, t.params) && bytes.Equal(s.results, t.results)
}

// remedy says what to do about an import from a module other than preview1.
func remedy(module string) string {
	switch {
	case module == "wasi_unstable":
		return "it was built for the forerunner of WASI preview 1; build it with a current toolchain"
	case strings.HasPrefix(module, "wasi:"):
		return "it was built for WASI preview 2; " + howto
	case module == "wasi":
		return "it was built for threads; build it without them"
	case module == "env":
		return "it is a function that was declared and not linked, or made by Emscripten's JavaScript; define it, or " + howto
	case module == "go" || module == "gojs":
		return "it was built for browsers (GOOS=js); build it with GOOS=wasip1"
	case strings.HasPrefix(module, "__wbindgen"), module == "wbg":
		return "it was built for browsers (wasm-bindgen); build it with --target=wasm32-wasip1"
	}
	return howto
}

// refuseEntry wants the function _start of a command, or check of a reactor.
func (m *module) refuseEntry() error {
	if m.start != nil && !m.typeOf(*m.start).equal(signature{}) {
		return errors.New("malformed: the start function has parameters or results; build it again")
	}
	const wasi = "is not a function without parameters and results, as WASI has it; " + howto
	switch {
	case m.command():
		return m.refuseExport(commandEntry, signature{}, wasi)
	case m.exported(reactorEntry) >= 0:
		return cmp.Or(
			m.refuseExport(initialize, signature{}, wasi),
			m.refuseExport(reactorEntry, signature{results: []byte{typeI32}}, "is not a function without parameters that returns an i32, the exit status; correct its type"),
		)
	case m.exported(initialize) >= 0:
		return errors.New("the program is a reactor, a library without a _start function, and exports no function check; export one that returns the exit status as an i32, or build it as a command (Go: no -buildmode=c-shared; clang: no -mexec-model=reactor; Rust: a bin, not a cdylib)")
	}
	return errors.New("the program exports no function _start; give it a main function and " + howto)
}

// refuseExport wants what is exported under a name, if it is, to be a function of
// that type.
func (m *module) refuseExport(name string, want signature, otherwise string) error {
	i := m.exported(name)
	if i >= 0 && (m.exports[i].kind != kindFunction || !m.typeOf(m.exports[i].index).equal(want)) {
		return fmt.Errorf("the program's %s %s", name, otherwise)
	}
	return nil
}

// exported is the index of an export, or -1.
func (m *module) exported(name string) int {
	return slices.IndexFunc(m.exports, func(e export) bool { return e.name == name })
}

// refuseMemory wants one memory within the limit, exported as WASI has it.
func (m *module) refuseMemory(limits policy.Limits) error {
	if len(m.memories) > 1 {
		return fmt.Errorf("the program has %d memories; build it with one", len(m.memories))
	}
	i := m.exported("memory")
	if len(m.memories) == 0 || i < 0 || m.exports[i].kind != kindMemory {
		return errors.New("the program exports no memory named \"memory\", which WASI needs; " + howto)
	}
	memory := m.memories[0]
	switch {
	case memory.shared:
		return errors.New("the program's memory is shared between threads; build it without threads")
	case int64(memory.min)*pageSize > int64(limits.Memory):
		return fmt.Errorf("the program needs %s of memory from its start and the limit is %s: build it with less or raise the limit \"memory\"", policy.Bytes(memory.min)*pageSize, limits.Memory)
	}
	return nil
}

func (m *module) refuseTables(limits policy.Limits) error {
	for _, t := range m.tables {
		if int64(t.size.min) > int64(limits.TableEntries) {
			return fmt.Errorf("the program has a table of %d entries and the limit is %d: build it smaller or raise the limit \"table_entries\"", t.size.min, limits.TableEntries)
		}
	}
	if entries := m.elementEntries(); entries > int64(limits.TableEntries) {
		return fmt.Errorf("the program has %d entries for its tables and the limit is %d: build it smaller or raise the limit \"table_entries\"", entries, limits.TableEntries)
	}
	return nil
}

// tableEntries is how many entries the tables have together at first.
func (m *module) tableEntries() (entries uint64) {
	for _, t := range m.tables {
		entries += uint64(t.size.min)
	}
	return entries
}

// elementEntries is how many entries the element segments hold together. Those that are
// not copied to a table at the start take memory in every run.
func (m *module) elementEntries() (entries int64) {
	for _, e := range m.elements {
		entries += int64(e.count)
	}
	return entries
}

// refuseNames keeps the exports' names apart, and those free that are added.
func (m *module) refuseNames() error {
	seen := make(map[string]bool, len(m.exports))
	for _, e := range m.exports {
		switch {
		case strings.HasPrefix(e.name, reserved):
			return fmt.Errorf("the program exports %.100q, and names that begin with %q are reserved; name it otherwise", e.name, reserved)
		case seen[e.name]:
			return fmt.Errorf("malformed: two exports are named %.100q; build it again", e.name)
		}
		seen[e.name] = true
	}
	return nil
}

// checkIndices wants every index outside of the functions' code to be of something
// that is there: the rewriter adds functions, globals and types, which the program
// must not be able to name.
func (m *module) checkIndices() error {
	for _, i := range m.imports {
		if int(i.index) >= len(m.types) {
			return outOfRange("type", i.index)
		}
	}
	for _, t := range m.functions {
		if int(t) >= len(m.types) {
			return outOfRange("type", t)
		}
	}
	if m.start != nil && *m.start >= m.functionCount() {
		return outOfRange("function", *m.start)
	}
	counts := []int{int(m.functionCount()), len(m.tables), len(m.memories), len(m.globals), 0}
	for _, i := range m.foreign {
		counts[i.kind]++
	}
	for _, e := range m.exports {
		if int(e.kind) >= len(counts) || int64(e.index) >= int64(counts[e.kind]) {
			return outOfRange("export", e.index)
		}
	}
	return m.checkConstants(uint32(counts[kindGlobal]))
}

// checkConstants does it for the constant expressions and the element segments.
func (m *module) checkConstants(globals uint32) (err error) {
	check := func(in instruction) {
		switch {
		case in.op == opGlobalGet && in.a >= globals:
			err = outOfRange("global", in.a)
		case in.op == opRefFunc && in.a >= m.functionCount():
			err = outOfRange("function", in.a)
		}
	}
	for _, g := range m.globals {
		check(g.value)
	}
	for _, s := range m.data {
		check(s.offset)
	}
	for _, e := range m.elements {
		check(e.offset)
		e.each(check)
	}
	return err
}

func outOfRange(what string, index uint32) error {
	return fmt.Errorf("malformed: %s %d is not there; build it again", what, index)
}
