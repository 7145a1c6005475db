package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/strict"
	"github.com/wasmagent/wasmagent/zipmod"
)

// Aliases are commands that stand for other ones with arguments, by their names.
type Aliases map[string]CommandLine

// aliases decodes the table of aliases.
func (d *decoder) aliases(at toml.Key, value any, dst *Aliases) {
	var table map[string]any
	if !assign(d, at, value, &table, "a table") {
		return
	}
	*dst = Aliases{}
	first := map[string]string{} // the alias of a name, by the name in lower case
	for _, name := range slices.Sorted(maps.Keys(table)) {
		at := strict.Below(at, name)
		if other, taken := first[strings.ToLower(name)]; taken {
			d.Wrong(at, "is the same command as %q; keep one of them", other)
		}
		first[strings.ToLower(name)] = name
		if err := zipmod.CheckCommand(name); err != nil {
			d.Wrong(at, "%v", err)
		}
		var words CommandLine
		before := d.Mistakes()
		d.commandLine(at, table[name], &words)
		if len(words) == 0 && d.Mistakes() == before {
			d.Wrong(at, `names no command; want one with its arguments, such as "check_cpu warn=80"`)
		}
		(*dst)[name] = words
	}
}
