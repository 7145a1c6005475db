package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/zipmod"
)

// The modules that are compiled in.
const (
	CheckHelpers = "CheckHelpers"
	CheckSystem  = "CheckSystem"
)

// modules decodes the table of modules.
func (d *decoder) modules(value any, dst *Modules) {
	at := toml.Key{"modules"}
	var table map[string]any
	if value == nil || !assign(d, at, value, &table, "a table") {
		return
	}
	*dst = Modules{}
	first := map[string]string{} // the key that named a module, by the name in lower case
	for _, key := range slices.Sorted(maps.Keys(table)) {
		at := append(slices.Clone(at), key)
		name := zipmod.TrimZip(key) // which NSClient++ writes
		if other, taken := first[strings.ToLower(name)]; taken {
			d.Wrong(at, "is the same module as %q; keep one of them", other)
			continue
		}
		first[strings.ToLower(name)] = key
		m := d.module(at, table[key])
		if builtin, ok := Builtin(name); ok {
			d.checkBuiltin(at, builtin, table[key])
		} else {
			d.checkModule(at, name, m)
		}
		(*dst)[name] = m
	}
}

// checkBuiltin reports what the entry of a built-in module says beside whether
// the module is loaded: the agent itself is granted and limited nothing.
func (d *decoder) checkBuiltin(at toml.Key, builtin string, value any) {
	table, _ := value.(map[string]any)
	for key := range table {
		if key != "enabled" {
			d.Wrong(append(slices.Clone(at), key), "%s is built in, and has no key but enabled", builtin)
		}
	}
}

// checkModule reports an entry that no module answers to: with what it grants it
// would be heeded by none.
func (d *decoder) checkModule(at toml.Key, name string, m Module) {
	if err := zipmod.CheckName(name); err != nil {
		d.Wrong(at, "%v", err)
		return
	}
	if file := zipmod.TrimZip(filepath.Base(absolute(d.dir, m.Path))); m.Path != "" && !strings.EqualFold(file, name) {
		d.Wrong(append(slices.Clone(at), "path"), "that is module %q; call the entry so, or rename the file", file)
	}
	if from := m.Source.Module(); !m.Source.IsZero() && !strings.EqualFold(from, name) {
		d.Wrong(append(slices.Clone(at), "source"), "that is module %q; call the entry so", from)
	}
}

// source decodes where a module was installed from.
func (d *decoder) source(at toml.Key, value any, dst *fetch.Source) {
	var text string
	if !assign(d, at, value, &text, "a text in quotes") {
		return
	}
	s, err := fetch.Parse(text, d.dir)
	if err != nil {
		d.Wrong(at, "%v", err)
	}
	*dst = s
}

// Builtin returns the name of a module that is compiled in, whatever its case.
// An entry of one says whether it is loaded, and nothing else.
func Builtin(name string) (string, bool) {
	for _, builtin := range []string{CheckHelpers, CheckSystem} {
		if strings.EqualFold(builtin, name) {
			return builtin, true
		}
	}
	return "", false
}

// module decodes one entry: true, "enabled" or a table.
func (d *decoder) module(at toml.Key, value any) Module {
	m := Module{Strict: d.strict, CA: d.authorities}
	switch value := value.(type) {
	case bool:
		m.Enabled = value
	case string:
		m.Enabled = value == "enabled"
		if !m.Enabled && value != "disabled" {
			d.Wrong(at, `want true, "enabled", false, "disabled" or a table, not the text %q`, value)
		}
	case map[string]any:
		m.Enabled = true
		if zip, dotted := value["zip"]; dotted {
			d.Wrong(append(slices.Clone(at), "zip"), "unknown key; a name with a dot needs quotes: write \"%s.zip\" = %v, or %[1]s = %[2]v", at[len(at)-1], literal(zip))
			value = maps.Clone(value)
			delete(value, "zip")
		}
		d.table(at, value, &m)
	default:
		d.Wrong(at, `want true, "enabled", false, "disabled" or a table, not %s`, kind(value))
	}
	m.Limits = m.Limits.Over(d.limits)
	return m
}

// literal writes a value as TOML does, as far as an entry goes.
func literal(value any) string {
	switch v := value.(type) {
	case string:
		return `"` + v + `"`
	case bool:
		return map[bool]string{true: "true", false: "false"}[v]
	}
	return "{ ... }"
}
