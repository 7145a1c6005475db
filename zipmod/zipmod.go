// Package zipmod turns the bytes of a zip module into a validated Module.
//
// The format is that of NSClient++'s zip modules
// (https://nsclient.org/docs/extending/zip-modules/): a zip with a module.json
// at its root. wasmagent adds permissions, patterns in scripts, and strictness.
//
// Guarantees: the archive is read once and whole, and Digest is the SHA-256 of
// the bytes that were used. A Module is returned only if everything in it is
// valid; otherwise the error lists all mistakes with file, line and column, and
// remedy. Every size, count and ratio that the archive controls is bounded by
// policy.Limits. Nothing is written to disk and nothing is run.
//
// A directory laid out like a module is packed into the bytes of a zip first,
// the same bytes at every time and on every system, so that there is one way in.
package zipmod

import (
	"time"

	"github.com/wasmagent/wasmagent/policy"
)

// A Module is a validated zip module. It is immutable and safe for concurrent
// use.
type Module struct {
	// Name is the zip's file name without ".zip", or the directory's name: the
	// MODULE of MODULE.alias.
	Name string
	// Title, Description and Version are free text; only Title, which
	// module.json calls "name", is always there.
	Title, Description, Version string
	// Digest is the SHA-256 of the archive's bytes, in lower-case hex.
	Digest string
	// Size is the number of bytes of the archive.
	Size int64
	// Requires names the modules to load first ("modules").
	Requires []string
	// Scripts are the commands that the module brings, shorthand and patterns
	// expanded, in the order of module.json; matches of one pattern are sorted.
	Scripts []Script
	// OnStart are the command lines to run once loaded, split into words.
	OnStart [][]string
	// Permissions are the path patterns that the module asks for.
	Permissions policy.Patterns
	// Files are the contents of the zip, directories left out, sorted by Name.
	Files []File
}

// A File is one file of the archive.
type File struct {
	Name    string // slash-separated, relative and clean
	Data    []byte
	ModTime time.Time
}

// A Script is one command of a module.
type Script struct {
	// File is the name of the script's file in the zip.
	File string
	// Alias is the command's name.
	Alias string
	// Provider is the provider that the manifest names; empty means the one of
	// the file's extension.
	Provider string
	// Command is the command line split into words: the script's name, which is
	// argv[0], then its arguments, in which $ARG1$..$ARGn$ and $ARGS$ stand for
	// the caller's. It has at least one word.
	Command []string
	// Absent is why the file is not there, when Options.Absent names it; nil
	// otherwise.
	Absent error
}

// Options say how a module is read.
type Options struct {
	// Limits bound the archive; zeros are the defaults.
	Limits policy.Limits
	// Absent names scripts that could not be built from their source, with the
	// reason. They count as being there, without content.
	Absent map[string]error
}
