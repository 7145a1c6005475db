package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
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
		name := trimZip(key)
		if other, taken := first[strings.ToLower(name)]; taken {
			d.wrong(at, "is the same module as %q; keep one of them", other)
			continue
		}
		first[strings.ToLower(name)] = key
		(*dst)[name] = d.module(at, table[key])
	}
}

// trimZip takes ".zip" off a module's key, as NSClient++ writes it.
func trimZip(key string) string {
	if n := len(key) - len(".zip"); n > 0 && strings.EqualFold(key[n:], ".zip") {
		return key[:n]
	}
	return key
}

// module decodes one entry: true, "enabled" or a table.
func (d *decoder) module(at toml.Key, value any) Module {
	m := Module{Strict: d.strict}
	switch value := value.(type) {
	case bool:
		m.Enabled = value
	case string:
		m.Enabled = value == "enabled"
		if !m.Enabled && value != "disabled" {
			d.wrong(at, `want true, "enabled", false, "disabled" or a table, not the text %q`, value)
		}
	case map[string]any:
		m.Enabled = true
		if zip, dotted := value["zip"]; dotted {
			d.wrong(append(slices.Clone(at), "zip"), "unknown key; a name with a dot needs quotes: write \"%s.zip\" = %v, or %[1]s = %[2]v", at[len(at)-1], literal(zip))
			value = maps.Clone(value)
			delete(value, "zip")
		}
		d.table(at, value, &m)
		if err := checkPin(trimZip(at[len(at)-1]), m); err != nil {
			d.wrong(append(slices.Clone(at), "sha256"), "%v", err)
		}
	default:
		d.wrong(at, `want true, "enabled", false, "disabled" or a table, not %s`, kind(value))
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
