package policy

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size in bytes. As text it is a number with an optional unit of
// KiB, MiB or GiB (powers of 1024), KB, MB or GB (powers of 1000), or B.
type Bytes int64

// The binary units.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

// Limits bound what a module's scripts can use. In every field zero means the
// default, never "unlimited"; WithDefaults fills the zeros in.
type Limits struct {
	// Time is the wall-clock time of one run.
	Time time.Duration `toml:"time"`
	// Memory is the largest linear memory of one run.
	Memory Bytes `toml:"memory"`
	// Stack is the largest call stack of one run, estimated from the functions
	// on it.
	Stack Bytes `toml:"stack"`
	// Output is the most that a script may write, standard output and error
	// counted apart.
	Output Bytes `toml:"output"`
	// OpenFiles is the most descriptors that a run holds at one time.
	OpenFiles int `toml:"open_files"`
	// TableEntries is the most entries of each of a program's tables, and of all its
	// element segments together.
	TableEntries int `toml:"table_entries"`
	// Runs is the most runs of one module's scripts at one time.
	Runs int `toml:"runs"`
	// State is the most bytes that a module keeps in /state, all files together.
	State Bytes `toml:"state"`
	// StateFiles is the most files and directories that it keeps there.
	StateFiles int `toml:"state_files"`

	// Program is the largest .wasm file.
	Program Bytes `toml:"program"`
	// Functions is the most functions of a program.
	Functions int `toml:"functions"`
	// CompiledBody is the largest function body that is compiled; a program
	// with a larger one is interpreted, for compiling takes time quadratic in
	// a body's size.
	CompiledBody Bytes `toml:"compiled_body"`
	// Body is the largest function body of all; a program with a larger one is
	// refused.
	Body Bytes `toml:"body"`
	// CompileTime is the longest that the compilation of one program may take.
	CompileTime time.Duration `toml:"compile_time"`

	// Archive is the largest zip file.
	Archive Bytes `toml:"archive"`
	// Unpacked is the largest sum of the sizes of the files in a zip.
	Unpacked Bytes `toml:"unpacked"`
	// Entries is the most entries of a zip.
	Entries int `toml:"entries"`
	// Ratio is the largest ratio of an entry's size to its compressed size.
	Ratio int `toml:"ratio"`
}

// Defaults are the limits that hold where nothing else is said.
var Defaults = Limits{
	Time:         10 * time.Second,
	Memory:       64 * MiB,
	Stack:        16 * MiB,
	Output:       64 * KiB,
	OpenFiles:    64,
	TableEntries: 1 << 16,
	Runs:         16,
	State:        16 * MiB,
	StateFiles:   256,
	Program:      32 * MiB,
	Functions:    100_000,
	CompiledBody: 128 * KiB,
	Body:         1 * MiB,
	CompileTime:  time.Minute,
	Archive:      64 * MiB,
	Unpacked:     128 * MiB,
	Entries:      4096,
	Ratio:        1000,
}

// WithDefaults returns l with every zero replaced by the value of Defaults.
func (l Limits) WithDefaults() Limits { return l.Over(Defaults) }

// Over returns l with every zero replaced by the value of base.
func (l Limits) Over(base Limits) Limits {
	return Limits{
		Time:         cmp.Or(l.Time, base.Time),
		Memory:       cmp.Or(l.Memory, base.Memory),
		Stack:        cmp.Or(l.Stack, base.Stack),
		Output:       cmp.Or(l.Output, base.Output),
		OpenFiles:    cmp.Or(l.OpenFiles, base.OpenFiles),
		TableEntries: cmp.Or(l.TableEntries, base.TableEntries),
		Runs:         cmp.Or(l.Runs, base.Runs),
		State:        cmp.Or(l.State, base.State),
		StateFiles:   cmp.Or(l.StateFiles, base.StateFiles),
		Program:      cmp.Or(l.Program, base.Program),
		Functions:    cmp.Or(l.Functions, base.Functions),
		CompiledBody: cmp.Or(l.CompiledBody, base.CompiledBody),
		Body:         cmp.Or(l.Body, base.Body),
		CompileTime:  cmp.Or(l.CompileTime, base.CompileTime),
		Archive:      cmp.Or(l.Archive, base.Archive),
		Unpacked:     cmp.Or(l.Unpacked, base.Unpacked),
		Entries:      cmp.Or(l.Entries, base.Entries),
		Ratio:        cmp.Or(l.Ratio, base.Ratio),
	}
}

// units are the suffixes of Bytes: the binary ones first, which String chooses
// from, the largest first, and "B" last, so that "KiB" is not read as that.
var units = []struct {
	name string
	size Bytes
}{
	{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB},
	{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3},
	{"B", 1},
}

// UnmarshalText reads a size such as "64MiB" or "1048576".
func (b *Bytes) UnmarshalText(text []byte) error {
	number, size := strings.TrimSpace(string(text)), Bytes(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(number, u.name); ok {
			number, size = strings.TrimSpace(n), u.size
			break
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || n > math.MaxInt64/uint64(size) {
		return fmt.Errorf("size %q: want a whole number with KiB, MiB, GiB, KB, MB, GB or B, such as \"64MiB\"", text)
	}
	*b = Bytes(n) * size
	return nil
}

// String writes the size in the largest binary unit that divides it.
func (b Bytes) String() string {
	for _, u := range units[:3] {
		if b != 0 && b%u.size == 0 {
			return fmt.Sprintf("%d %s", b/u.size, u.name)
		}
	}
	return fmt.Sprintf("%d B", int64(b))
}
