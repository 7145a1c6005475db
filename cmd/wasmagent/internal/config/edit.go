package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
)

// A Change is one change of the entry of a module in config.toml. An entry that
// is missing is made; as a table it enables the module, unless Enable says
// otherwise.
type Change struct {
	module string
	byHand string // what a person would write
	text   func(d draft, m Module) string
	value  func(dir string, m *Module) // does the same to what was read; nil takes it out
}

// Allow adds grants to those of a module, as far as it does not have them.
func Allow(module string, grants policy.Grants) Change {
	return Change{
		module: module,
		byHand: "add to allow: " + strings.Join(quoted(grants), ", "),
		text: func(d draft, m Module) string {
			return d.extend(module, "allow", quoted(missing(m.Allow, grants)))
		},
		value: func(_ string, m *Module) { m.Allow = append(slices.Clip(m.Allow), missing(m.Allow, grants)...) },
	}
}

// missing are the grants that a module does not have word for word, each once.
func missing(have, grants policy.Grants) policy.Grants {
	var list policy.Grants
	for _, g := range grants {
		same := func(other policy.Grant) bool { return other.String() == g.String() }
		if !slices.ContainsFunc(have, same) && !slices.ContainsFunc(list, same) {
			list = append(list, g)
		}
	}
	return list
}

// quoted are the grants as texts of TOML.
func quoted(grants policy.Grants) []string {
	var list []string
	for _, text := range grants.Strings() {
		list = append(list, Quote(text))
	}
	return list
}

// Pin sets the digest of the only zip that is loaded as the module.
func Pin(module string, digest trust.Digest) Change {
	return set(module, "sha256", Quote(string(digest)), func(_ string, m *Module) { m.Pin = digest })
}

// Path sets where the zip or the directory is. A relative path is one from the
// directory of config.toml.
func Path(module, path string) Change {
	return set(module, "path", Quote(path), func(dir string, m *Module) { m.Path = absolute(dir, path) })
}

// From sets where the module was installed from.
func From(module string, source fetch.Source) Change {
	return set(module, "source", Quote(source.String()), func(_ string, m *Module) { m.Source = source })
}

// Enable sets whether the module is loaded.
func Enable(module string, enabled bool) Change {
	return set(module, "enabled", fmt.Sprint(enabled), func(_ string, m *Module) { m.Enabled = enabled })
}

func set(module, key, text string, value func(string, *Module)) Change {
	return Change{
		module: module,
		byHand: key + " = " + text,
		text:   func(d draft, _ Module) string { return d.set(module, key, text) },
		value:  value,
	}
}

// Remove takes the entry of a module out, whatever it says. One that is missing
// stays so.
func Remove(module string) Change {
	return Change{
		module: module,
		byHand: "remove the entry with all that it says",
		text:   func(d draft, _ Module) string { return d.remove(module) },
	}
}

// Rewrite returns the text of the file of a name with changes made in it, one
// after the other. Every comment, the order and the spelling of what is not
// changed stay as they are. The result is read again: if it does not say exactly
// what it should, the error tells what to write by hand.
//
// The name must be absolute. The error of a text that is wrong to begin with is
// that of Parse.
func Rewrite(name, text string, changes ...Change) (string, error) {
	c, err := Parse(name, text)
	if err != nil {
		return "", err
	}
	for _, change := range changes {
		if text, c, err = change.rewrite(c, text); err != nil {
			return "", err
		}
	}
	return text, nil
}

// rewrite makes one change of a text, which reads as c.
func (change Change) rewrite(c Config, text string) (string, Config, error) {
	want, entry := change.applied(c)
	if want.Equal(c) {
		return text, c, nil
	}
	changed := change.text(newDraft(text), entry)
	got, err := Parse(c.File, changed)
	if err == nil && !got.Equal(want) {
		err = errors.New("the change would not say what it should")
	}
	if err != nil {
		return "", Config{}, fmt.Errorf("%s is not changed, as the entry of module %s is written in a way that cannot be edited safely (%w); change it by hand, in [modules.%s]: %s",
			c.File, change.module, err, Key(change.module), change.byHand)
	}
	return changed, got, nil
}

// applied is a configuration as it should be after the change, and the entry as
// it was.
func (change Change) applied(c Config) (Config, Module) {
	entry, named := c.Module(change.module)
	entry.Enabled = entry.Enabled || !named
	name := change.module
	for key := range c.Modules {
		if strings.EqualFold(key, name) {
			name = key
		}
	}
	c.Modules = maps.Clone(c.Modules)
	if change.value == nil {
		delete(c.Modules, name)
		return c, entry
	}
	if c.Modules == nil {
		c.Modules = Modules{}
	}
	m := entry
	change.value(filepath.Dir(c.File), &m)
	c.Modules[name] = m
	return c, entry
}

// Equal tells whether two configurations say the same.
func (c Config) Equal(other Config) bool {
	equal := maps.EqualFunc(c.Modules, other.Modules, Module.Equal) // of which none may be empty or nil
	c.Modules, other.Modules = nil, nil
	c.Read, other.Read = nil, nil
	return equal && reflect.DeepEqual(c, other)
}

// Equal tells whether two entries say the same, the files of authorities that
// they name included.
func (m Module) Equal(other Module) bool { return reflect.DeepEqual(m, other) }

// Key writes a name as a key of TOML.
func Key(name string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if name != "" && strings.Trim(name, plain) == "" {
		return name
	}
	return Quote(name)
}

// Quote writes a text as one of TOML.
func Quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
