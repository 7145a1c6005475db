// Package zipmod turns the bytes of a zip module into a validated Module.
//
// The format is that of NSClient++'s zip modules
// (https://nsclient.org/docs/extending/zip-modules/): a zip with a module.json
// at its root. wasmagent adds permissions, patterns in scripts, and strictness.
//
// Guarantees: the archive is read once and whole, and Digest is the SHA-256 of
// the bytes that were used, and those that Options.Verify was asked about before
// anything of them was parsed. A Module is returned only if everything in it is
// valid; otherwise the error lists the mistakes, up to 100 of them, each with
// its remedy, and those of module.json with line and column. Every size, count
// and ratio that the archive controls is bounded by policy.Limits, and so is the
// work of matching its patterns. Nothing is written to disk and nothing is run.
//
// An archive is its entries back to back, then their directory, then the end
// record, and not a byte beside; names are UTF-8. So what this package reads is
// what any other reader of the zip sees.
//
// A directory laid out like a module is packed into the bytes of a zip first,
// the same bytes at every time and on every system, so that there is one way in.
//
// The package holds no state; its functions are safe for concurrent use.
package zipmod

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/policy"
)

//go:generate go test -run=^TestSchemaIsPublished$ . -update

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
	// Requires names the modules to load first ("modules"), without ".zip".
	Requires []string
	// Scripts are the commands that the module brings, shorthand and patterns
	// expanded, in the order of module.json; matches of one pattern are sorted.
	Scripts []Script
	// OnStart are the command lines to run once loaded, split into words; each
	// has at least one.
	OnStart [][]string
	// Subscriptions are the events that the module hears of, at most
	// MaxSubscriptions.
	Subscriptions []Subscription
	// Permissions are the path patterns that the module asks for.
	Permissions policy.Patterns
	// Files are the contents of the zip, directories left out, sorted by Name.
	Files []File
}

// A File is one file of the archive.
type File struct {
	Name    string    // slash-separated, relative and clean
	Data    []byte    // its capacity is its length
	ModTime time.Time // in UTC, within the years that a zip can say: 1980 to 2107
}

// A Script is one command of a module.
type Script struct {
	// File is the name of the script's file in the zip.
	File string
	// Alias is the command's name, unique in the module when case is ignored.
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

// Options say how a module is read. The zero Options are the defaults.
type Options struct {
	// Limits bound the archive; zeros are the defaults.
	Limits policy.Limits
	// Built holds programs built from source by the name of their file, such as
	// "scripts/check_x.wasm". Packing a directory adds them, in the place of
	// the directory's own file if there is one, and leaves out the directories
	// of their source, here "scripts/check_x". A nil program adds nothing: it
	// stands for a file that the directory has. A zip does not heed them.
	Built map[string][]byte
	// Verify, if it is not nil, is asked whether the archive of the module of
	// this name may be read at all, before anything in it is looked at; of a
	// directory that is what it was packed into. It must not change or keep the
	// archive. Its error is that of Read.
	Verify func(name string, archive []byte) error
	// Absent names scripts that could not be built from their source, with the
	// reason. They count as being there, without content. Packing leaves out
	// their source too.
	Absent map[string]error
}

// Open reads the module at path: a zip file, or a directory laid out like one,
// which is packed first. Symbolic links to either are followed.
func Open(path string, opts Options) (*Module, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	data, err := load(path, info, opts)
	if err != nil {
		return nil, err
	}
	return Read(filepath.Base(path), data, opts)
}

// load returns the bytes of the zip that path is or is packed into.
func load(path string, info fs.FileInfo, opts Options) ([]byte, error) {
	switch {
	case info.IsDir():
		if err := checkDirectory(os.DirFS(path)); err != nil {
			return nil, err
		}
		return Pack(path, opts)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is neither a zip file nor a directory", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	limit := int64(opts.Limits.WithDefaults().Archive)
	// One byte beyond the limit is enough for Read to refuse the archive.
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// checkDirectory refuses a directory that is no module's before all of it is
// read: it may be any.
func checkDirectory(dir fs.FS) error {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return fold(e.Name()) == fold(manifestName) }) {
		return nil
	}
	if below, _ := fs.Glob(dir, "*/"+manifestName); len(below) > 0 {
		return fmt.Errorf("has no %s, so it is no module; did you mean the directory %q in it?", manifestName, path.Dir(below[0]))
	}
	return fmt.Errorf("has no %s, so it is no module; add one", manifestName)
}

// Read validates the bytes of a zip module. name is the zip's file name or the
// module's name. The error does not name the module: the caller knows it.
func Read(name string, data []byte, opts Options) (*Module, error) {
	name, err := moduleName(name)
	if err != nil {
		return nil, err
	}
	limits := opts.Limits.WithDefaults()
	if int64(len(data)) > int64(limits.Archive) {
		return nil, fmt.Errorf("archive: is larger than the limit of %v; make it smaller or raise the limit \"archive\"", limits.Archive)
	}
	if opts.Verify != nil {
		if err := opts.Verify(name, data); err != nil {
			return nil, err
		}
	}
	files, err := unpack(data, limits)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	m := &Module{
		Name:   name,
		Digest: hex.EncodeToString(digest[:]),
		Size:   int64(len(data)),
		Files:  files,
	}
	if err := m.decode(opts.Absent); err != nil {
		return nil, err
	}
	return m, nil
}

// moduleName cuts ".zip" from a file name, whatever its case.
func moduleName(name string) (string, error) {
	module := TrimZip(name)
	if err := CheckName(module); err != nil {
		return "", fmt.Errorf("%w; rename the file", err)
	}
	return module, nil
}

// CheckName tells why no module can have a name; nil if one can.
func CheckName(name string) error {
	if !commandName.matches(name) {
		return fmt.Errorf("module name %.80q: is not %s", name, commandName.want)
	}
	if strings.HasSuffix(name, ".") || shortName.matches(name) {
		return fmt.Errorf("module name %.80q: ends in a dot or holds \"~\" and a digit, by which Windows may find the files of another module; choose another", name)
	}
	return nil
}

// CheckCommand tells why no command can have a name; nil if one can.
func CheckCommand(name string) error {
	if !commandName.matches(name) {
		return fmt.Errorf("command %.80q: is not %s", name, commandName.want)
	}
	return nil
}

// shortName is in the second name that Windows gives to files with long names.
var shortName = text{lazyregexp.New(`~[0-9]`), 0, ""}

// TrimZip takes ".zip", in any case, off the name of a file, if something is left
// then: the name of the module in it.
func TrimZip(name string) string {
	if cut := len(name) - len(".zip"); cut > 0 && strings.EqualFold(name[cut:], ".zip") {
		return name[:cut]
	}
	return name
}
