// Package migrate reads the configuration of NSClient++, SNClient and NRPE, and
// says the same in config.toml and in a module with the scripts that they run.
//
// Guarantees: nothing is run and nothing is written. What a file says is either
// in the result or in a Remark with its line, so that no key is lost silently.
// The files are bounded in number and size, and only regular files are read.
// Whatever they hold, the text is valid TOML, and no argument of a request
// becomes a word of a shell's language.
//
// The formats: https://github.com/NagiosEnterprises/nrpe (sample-config) and
// https://nsclient.org/docs/reference/.
//
// A Migration is plain data; Read may be called from several goroutines.
package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Migration is a foreign configuration as this agent has it.
type Migration struct {
	// From is the file that was read.
	From string
	// Config is the text of config.toml.
	Config string
	// Module is the module with the foreign commands: the contents of its files by
	// their names, which have slashes. It is empty if there is no command.
	Module map[string]string
	// Remarks say what was not taken over, in the order of the lines.
	Remarks []Remark
}

// ModuleName is the name of the module in a Migration.
const ModuleName = "imported"

// A Remark is about one line of a file that is not taken over, or not as it was.
type Remark struct {
	File string
	Line int
	// Key is what the line sets.
	Key string
	// Text is why, and what to do.
	Text string
}

// Harmless tells whether there is nothing to do about it.
func (r Remark) Harmless() bool { return strings.HasPrefix(r.Text, nothing) }

const nothing = "nothing to do: "

func (r Remark) String() string { return fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.Key, r.Text) }

// Read reads the file of a name, with those that it includes: an nsclient.ini, if
// a section comes first in it, else an nrpe.cfg.
//
// An error is about that file: it cannot be read, or is neither of the two.
//
// builtin lists the commands of a built-in module.
func Read(name string, builtin func(module string) []string) (Migration, error) {
	m, err := machine.mapping(name, builtin)
	if err != nil {
		return Migration{}, err
	}
	return m.migration(), nil
}

// mapping reads a file of a disk and maps what it says.
func (d disk) mapping(name string, builtin func(module string) []string) (*mapping, error) {
	text, err := d.text(name)
	if err != nil {
		return nil, err
	}
	m := &mapping{
		disk: d, from: name, builtin: builtin, module: module{files: map[string]string{}},
		commands: map[string]string{}, enabled: map[string]bool{}, listening: map[string]bool{},
	}
	if isINI(text) {
		m.settings = d.readINI(name, text)
	} else {
		m.settings = d.readNRPE(name, text)
	}
	switch {
	case len(m.entries) == 0:
		return nil, fmt.Errorf("%s: this is no nsclient.ini and no nrpe.cfg: no line of it is KEY = VALUE", name)
	case len(m.entries) > maxSettings:
		return nil, fmt.Errorf("%s: this has more than %d settings, with what it includes; import it in parts", name, maxSettings)
	case isINI(text):
		m.mapNSClient()
	default:
		m.mapNRPE()
	}
	return m, nil
}

// A mapping is a Migration in the making.
type mapping struct {
	disk
	settings
	from    string
	builtin func(module string) []string
	config  document
	module  module
	remarks []Remark

	commands  map[string]string // whose each is, by the folded names
	enabled   map[string]bool   // the built-in modules
	listening map[string]bool   // the addresses
	certified bool              // whether the listeners' certificate is set
	asked     []asked
}

// remark says what became of an entry, which is taken then.
func (m *mapping) remark(e *entry, format string, args ...any) {
	e.taken = true
	m.remarks = append(m.remarks, Remark{e.file, e.line, e.name(), fmt.Sprintf(format, args...)})
}

// migration ends the mapping: what nobody took is remarked on.
func (m *mapping) migration() Migration {
	for _, e := range m.entries {
		if !e.taken {
			m.remark(e, "%s", adviceFor(e))
		}
	}
	m.remarks = append(m.remarks, m.unread...)
	order := map[string]int{}
	for i, e := range m.entries {
		if _, seen := order[e.file]; !seen {
			order[e.file] = i
		}
	}
	slices.SortStableFunc(m.remarks, func(a, b Remark) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line))
	})
	return Migration{From: m.from, Config: m.config.text(m.from, m.remarks), Module: m.module.contents(m.from), Remarks: m.remarks}
}

// isINI tells whether a section comes first in a text.
func isINI(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.TrimPrefix(line, byteOrderMark))
		if line != "" && line[0] != '#' && line[0] != ';' {
			return line[0] == '['
		}
	}
	return false
}

var errUTF16 = errors.New("it is in UTF-16; save it as UTF-8")
