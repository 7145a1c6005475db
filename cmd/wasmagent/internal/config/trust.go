package config

import (
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/trust"
)

// publicKey is the extension by which a key is known to be a file.
const publicKey = ".pub"

// trust decodes the table that says whose modules are loaded, and checks it as a
// whole where its parts are right.
func (d *decoder) trust(at toml.Key, value any, dst *trust.Policy) {
	before := d.Mistakes()
	d.nested(at, value, dst)
	if d.Mistakes() > before {
		return
	}
	if err := dst.Check(); err != nil {
		d.Each(at, err)
	}
}

// keys decodes a list of public keys. Each is the text of a key, or a table with
// it.
func (d *decoder) keys(at toml.Key, value any, dst *[]trust.Key) {
	if tables, ok := value.([]map[string]any); ok {
		for _, table := range tables {
			d.key(at, table, dst)
		}
		return
	}
	var items []any
	if assign(d, at, value, &items, `a list of keys such as ["RWQ..."]`) {
		for _, item := range items {
			d.key(at, item, dst)
		}
	}
}

// A keyEntry is one key as a table.
type keyEntry struct {
	Key     string     `toml:"key"`
	Name    string     `toml:"name"`
	Modules keyModules `toml:"modules"`
}

// keyModules are the modules that a key may sign for. An empty list is not nil,
// which stands for all.
type keyModules []string

// key decodes one key and adds it to a list.
func (d *decoder) key(at toml.Key, value any, list *[]trust.Key) {
	before := d.Mistakes()
	var entry keyEntry
	switch value := value.(type) {
	case string:
		entry.Key = value
	case map[string]any:
		d.table(at, value, &entry)
	default:
		d.Wrong(at, "want a key in quotes or a table such as { key = \"RWQ...\", name = \"ops\" }, not %s", kind(value))
	}
	if d.Mistakes() > before {
		return
	}
	k, err := d.publicKey(entry.Key)
	if err != nil {
		d.Wrong(at, "%v", err)
		return
	}
	k.Name, k.Modules = entry.Name, entry.Modules
	*list = append(*list, k)
}

// publicKey reads a key: its line of base64, or the .pub file of a name.
func (d *decoder) publicKey(text string) (trust.Key, error) {
	if !strings.HasSuffix(text, publicKey) {
		k, err := trust.ParseKey(text)
		if err != nil {
			err = fmt.Errorf("the key %.80q %w, or the name of a %s file", text, err, publicKey)
		}
		return k, err
	}
	name := absolute(d.dir, text)
	d.read = append(d.read, name)
	content, err := read(name, trust.MaxKey)
	if err != nil {
		return trust.Key{}, err
	}
	k, err := trust.ParseKey(content)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return k, err
}
