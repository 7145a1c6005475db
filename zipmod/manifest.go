package zipmod

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
)

// maxManifest is the largest module.json in bytes.
const maxManifest = 256 << 10

// decode fills in what module.json says. absent are the scripts that count as
// files though the zip lacks them.
func (m *Module) decode(absent map[string]error) error {
	i := slices.IndexFunc(m.Files, func(f File) bool { return f.Name == manifestName })
	data := bytes.TrimPrefix(m.Files[i].Data, []byte("\ufeff"))
	if len(data) > maxManifest {
		return fmt.Errorf("%s: is larger than %v; make it smaller", manifestName, policy.Bytes(maxManifest))
	}
	root, err := parseJSON(data)
	if err != nil {
		return err
	}
	d := decoder{data: data}
	manifestShape().check(root, manifestName, &d)
	m.Title = root.member("name").text()
	m.Description = root.member("description").text()
	m.Version = root.member("version").text()
	m.Requires = d.modules(root.member("modules"))
	m.Scripts = d.scripts(root.member("scripts"), catalog(m.Files, absent))
	m.OnStart = d.onStart(root.member("on_start"))
	m.Subscriptions = d.subscriptions(root.member("subscribe"), m.Scripts)
	m.Permissions = d.permissions(root.member("permissions"))
	return d.found.err()
}

// A decoder turns the values of module.json into those of a Module. Values of a
// wrong shape have been reported before and are passed over.
type decoder struct {
	data  []byte
	found mistakes
}

// report adds a mistake at an offset of module.json.
func (d *decoder) report(at int, format string, args ...any) {
	if !d.found.full() {
		d.found.add(at, mistakeAt(d.data, at, format, args...))
	}
}

// modules lists the required modules, each once.
func (d *decoder) modules(n node) []string {
	var names []string
	seen := map[string]bool{}
	for _, item := range n.items() {
		name := TrimZip(item.text())
		if !seen[fold(name)] {
			names = append(names, name)
		}
		seen[fold(name)] = true
	}
	return names
}

func (d *decoder) onStart(n node) [][]string {
	var lines [][]string
	for _, item := range n.items() {
		if item.text() == "" {
			continue
		}
		if words := d.split(item); len(words) > 0 {
			lines = append(lines, words)
		}
	}
	return lines
}

// split cuts a command line into words. It reports a line without a command and
// returns no words then.
func (d *decoder) split(n node) []string {
	words, err := check.Split(n.text())
	switch {
	case err != nil:
		d.report(n.at, "%w", err)
		return nil
	case len(words) == 0 || words[0] == "":
		d.report(n.at, "the command line %.80q names no command; name one or take the line out", n.text())
		return nil
	}
	return words
}

func (d *decoder) permissions(n node) policy.Patterns {
	var list []string
	for _, item := range n.items() {
		if item.text() == "" {
			continue
		}
		if _, err := policy.ParsePatterns([]string{item.text()}); err != nil {
			d.report(item.at, "%w", err)
			continue
		}
		list = append(list, item.text())
	}
	patterns, err := policy.ParsePatterns(list)
	if err != nil {
		d.report(n.at, "%w", err)
	}
	return patterns
}
