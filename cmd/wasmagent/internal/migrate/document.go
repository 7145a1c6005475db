package migrate

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

// A document is a config.toml in the making: its tables in the order in which they
// were first set.
type document struct {
	tables  []*table
	headers map[string]*table
}

// A table is one table of it, by its header; the keys before any have none.
type table struct {
	header string
	lines  []string
}

// set adds KEY = VALUE, written as in TOML, to a table.
func (d *document) set(header, key, value string) {
	t := d.headers[header]
	if t == nil {
		t = &table{header: header}
		d.tables = append(d.tables, t)
		if d.headers == nil {
			d.headers = map[string]*table{}
		}
		d.headers[header] = t
	}
	t.lines = append(t.lines, config.Key(key)+" = "+value)
}

func (d *document) setText(header, key, value string) { d.set(header, key, config.Quote(value)) }

// has tells whether a key of a table is set.
func (d *document) has(header, key string) bool {
	t := d.headers[header]
	return t != nil && slices.ContainsFunc(t.lines, func(line string) bool { return strings.HasPrefix(line, config.Key(key)+" = ") })
}

// list writes texts as a list.
func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = config.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// text is the whole file, with the remarks as comments at its end.
func (d *document) text(from string, remarks []Remark) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made of %s by \"wasmagent import\".\n", comment(filepath.Base(from)))
	slices.SortStableFunc(d.tables, func(a, b *table) int { return rank(a) - rank(b) })
	for _, t := range d.tables {
		b.WriteString("\n")
		if t.header != "" {
			b.WriteString("[" + t.header + "]\n")
		}
		for _, line := range t.lines {
			b.WriteString(line + "\n")
		}
	}
	if len(remarks) > 0 {
		b.WriteString("\n# Not taken over, or not as it was:\n#\n")
	}
	for _, r := range remarks {
		r.File = filepath.Base(r.File)
		b.WriteString("#   " + comment(r.String()) + "\n")
	}
	return b.String()
}

// rank sorts the keys without a table before the tables.
func rank(t *table) int {
	if t.header == "" {
		return 0
	}
	return 1
}

// comment is a text as it can stand in a comment of TOML and of a shell.
func comment(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}
