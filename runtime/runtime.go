// Package runtime is the sandbox: it runs WebAssembly programs (WASI preview 1)
// that cannot reach, exhaust or stop the agent.
//
// Guarantees, whatever the program does:
//
//   - It sees the files of its module and nothing else: no environment, no
//     connection, no directory of the host, no way to write; but for what the
//     module asks for and the operator grants, which is more paths.
//   - Every run begins with the memory, variables, tables and descriptors that the
//     first began with: in a new instance, or in one of which nothing else can have
//     changed than what is put back. Nothing passes from one run to the next and no
//     run sees another, but for files that were granted.
//   - A run ends soon after its context does, also when it spins, recurses,
//     sleeps or fills memory, and never keeps the garbage collector waiting.
//   - Memory, stack, tables, descriptors and output are bounded by policy.Limits;
//     so are a program's size, its functions and the time to compile it.
//   - A trap, an exit with any number or a malformed program is an error or a
//     status, never a panic.
//
// It does so by rewriting a program before it is compiled (internal/prepare),
// by guards before the functions of WASI, by a file system of its own
// (internal/guestfs), by memory of its own (internal/memory) and by a cache that
// trusts nothing (internal/codecache), for WebAssembly engines leave these to their
// embedder. This tree is the only importer of wazero.
//
// A reactor (docs/abi.md) is initialised once, by a run that is given nothing and may ask
// for nothing that only its own run would be told; every run begins as a private copy of
// what came of that, with arguments, input, clocks and randomness (internal/gorand) of its
// own.
//
// An Engine and a Program are safe for concurrent use.
package runtime

import (
	"log/slog"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
)

// MaxArgs is the most bytes of all arguments of a run together.
const MaxArgs = 128 << 10

// Config configures an Engine. The zero Config compiles into memory only.
type Config struct {
	// CacheDir is the directory of compiled code, created if missing. It must
	// be the agent's alone: whoever can write there runs code in the agent. Empty
	// keeps nothing on disk.
	CacheDir string
	// Interpret runs every program in the interpreter, as on processors that
	// have no compiler.
	Interpret bool
	// InterpretFirst has a program that is not in the cache be interpreted until it is
	// compiled, beside its runs. Programs that are the cheapest to compile and the most
	// used come first. One is compiled before it is ready if those that wait would take
	// more than some 300 MB of memory with it.
	InterpretFirst bool
	// Pressed tells whether memory is short: then no instance is made before it is asked
	// for, nor kept, and no program is interpreted first. It is called every few seconds
	// while some program is busy, and when a program is to be interpreted first. Nil is
	// never.
	Pressed func() bool
	// Log hears what goes wrong with the cache, and what of the granted paths
	// could not be opened. Nil is slog.Default.
	Log *slog.Logger
	// Compiling, if set, is called when a compilation that the cache could not
	// save starts, with the program's name; the func that it returns is called
	// when it ends. Calls may be concurrent.
	Compiling func(name string) (done func())
}

// A Root is the file system of a module's guests: its files at "/", and what it was
// granted beside them. Make one with NewRoot. It is immutable and safe for
// concurrent use.
type Root = guestfs.Root

// A RootConfig is what a Root is made of.
type RootConfig = guestfs.Config

// A File is one file of a Root.
type File = guestfs.File

// A Document makes the content of a file, at most 16 MiB. It must return soon after
// ctx ends and be safe for concurrent use.
type Document = guestfs.Document

// A Command runs a command with arguments, and returns the JSON document of its
// answer.
type Command = guestfs.Command

// An Attempt is one path that a guest tried.
type Attempt = guestfs.Attempt

// NewRoot makes a Root. What it does not allow does not exist for its guests. The
// error names every file and document that cannot be in it, with the reason.
func NewRoot(c RootConfig) (*Root, error) { return guestfs.NewRoot(c) }

// A Guest is what one run of a Program is given.
type Guest struct {
	// Args is the argument vector, the program's name first: at most MaxArgs
	// bytes, the byte that ends each included.
	Args []string
	// Input is all of the guest's standard input. Nobody may write to it while the
	// guest runs.
	Input []byte
	// Root is the guest's file system. Nil is an empty one.
	Root *Root
	// Observe hears of every path that the guest tries, in the goroutine of the
	// run. Nil hears nothing.
	Observe func(Attempt)
	// Limits bound the run; zeros are the defaults.
	Limits policy.Limits
}

// An Output is what a run left behind. Stdout and Stderr are what was written
// before the run ended or was stopped, each at most policy.Limits.Output bytes.
type Output struct {
	Stdout, Stderr []byte
	Usage          check.Usage
}
