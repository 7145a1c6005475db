package zipmod

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/policy"
)

// The bounds of a file's name in a zip.
const (
	maxName    = 1024 // bytes of the whole
	maxSegment = 255  // bytes between two slashes
	maxDepth   = 32   // segments
)

// checkName tells why a file or directory of this name cannot be in a zip: a
// path must mean one place inside the zip, on every system that unpacks it.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("has no name; name it")
	case len(name) > maxName:
		return fmt.Errorf("its name is longer than %d bytes; shorten it", maxName)
	case !utf8.ValidString(name):
		return errors.New("its name is not UTF-8; rename it")
	case strings.ContainsFunc(name, invisible):
		return errors.New("its name holds a NUL or another control character; rename it")
	case strings.Contains(name, `\`):
		return errors.New("its name holds a backslash; separate directories with \"/\"")
	case name[0] == '/':
		return errors.New("its name is absolute; make it relative to the module")
	case len(name) > 1 && name[1] == ':':
		return errors.New("its name has a drive letter; make it relative to the module")
	}
	return checkSegments(strings.Split(name, "/"))
}

// invisible tells of characters that a name cannot show: control characters,
// and those that turn the direction of writing.
func invisible(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control) }

func checkSegments(segments []string) error {
	if len(segments) > maxDepth {
		return fmt.Errorf("is more than %d directories deep; move it up", maxDepth)
	}
	for _, s := range segments {
		if err := checkSegment(s); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(policy.Roots(), func(root string) bool { return strings.EqualFold(root, segments[0]) }) {
		return fmt.Errorf("/%s is not the zip's in the sandbox; rename it", strings.ToLower(segments[0]))
	}
	return nil
}

func checkSegment(s string) error {
	switch {
	case s == "":
		return errors.New("its name has an empty part; write single slashes")
	case s == ".", s == "..":
		return fmt.Errorf("its name holds %q; write it without", s)
	case len(s) > maxSegment:
		return fmt.Errorf("a part of its name is longer than %d bytes; shorten it", maxSegment)
	case strings.ContainsAny(s, `<>:"|?*`):
		return errors.New("its name holds one of < > : \" | ? *, which Windows cannot have; rename it")
	case strings.HasSuffix(s, "."), strings.HasSuffix(s, " "):
		return errors.New("a part of its name ends in a dot or a blank, which Windows cannot have; rename it")
	case isDevice(s):
		return fmt.Errorf("%q is a device on Windows; rename it", s)
	}
	return nil
}

// isDevice tells whether Windows takes a file of this name for a device,
// whatever its case and extension.
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
func isDevice(segment string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(segment), ".")
	stem = strings.TrimRight(stem, " ")
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, isPort := strings.CutPrefix(stem, "COM")
	if !isPort {
		port, isPort = strings.CutPrefix(stem, "LPT")
	}
	return isPort && utf8.RuneCountInString(port) == 1 && strings.Contains("123456789¹²³", port)
}

// A tree is the set of an archive's names as a file system that ignores case
// would hold them, by their folded paths.
type tree map[string]place

// A place is one file or directory of a tree.
type place struct {
	name   string
	dir    bool
	listed bool // it has an entry of its own
}

// add puts in a name with its parents. It must have passed checkName, and
// folded must be fold(name).
func (t tree) add(name, folded string, here place) error {
	if parent := path.Dir(name); parent != "." {
		if err := t.add(parent, path.Dir(folded), place{name: parent, dir: true}); err != nil {
			return err
		}
	}
	there, taken := t[folded]
	switch {
	case !taken:
	case there.name != here.name:
		return fmt.Errorf("%.200q differs from %.200q only in case; rename one of them", here.name, there.name)
	case there.dir != here.dir:
		return fmt.Errorf("%.200q is a file and a directory; rename one of them", here.name)
	case there.listed && here.listed:
		return errors.New("is there twice; pack the zip again")
	}
	here.listed = here.listed || there.listed
	t[folded] = here
	return nil
}

// fold maps names that differ only in case to one.
func fold(s string) string { return strings.Map(foldRune, s) }

// foldRune is the least character that differs from r only in case.
func foldRune(r rune) rune {
	least := r
	for c := unicode.SimpleFold(r); c != r; c = unicode.SimpleFold(c) {
		least = min(least, c)
	}
	return least
}
