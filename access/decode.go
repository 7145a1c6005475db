package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/strict"
)

// maxName is the longest name of a user or a role in bytes.
const maxName = 128

// A decoder reads the document and collects the mistakes.
type decoder struct{ *strict.Document }

// Parse reads the text of the users.toml of a name. The error has a line for
// every mistake.
func Parse(name, text string) (*Accounts, error) {
	document, err := strict.Parse(name, text)
	if err != nil {
		return nil, err
	}
	d := decoder{document}
	a := d.accounts()
	if err := d.Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// accounts reads the document: the roles first, which the users name.
func (d decoder) accounts() *Accounts {
	a := &Accounts{users: map[string]User{}, roles: map[string]Role{}}
	for _, r := range Roles() {
		a.roles[r.Name] = r
	}
	d.known(nil, d.Table, "users", "roles")
	for name, body := range d.tables(toml.Key{"roles"}) {
		a.roles[name] = d.role(name, body)
	}
	for name, body := range d.tables(toml.Key{"users"}) {
		a.users[name] = d.user(name, body, a.roles)
	}
	if d.Mistakes() == 0 {
		d.Each(toml.Key{"users"}, a.index())
	}
	return a
}

// known records every key of a table that is none of those known.
func (d decoder) known(at toml.Key, table map[string]any, keys ...string) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(keys, name) {
			d.Unknown(strict.Below(at, name), keys)
		}
	}
}

// tables reads a table of tables, each under a name.
func (d decoder) tables(at toml.Key) map[string]map[string]any {
	all := map[string]map[string]any{}
	for name, v := range d.table(at, d.Table[at[0]]) {
		if err := checkName(name); err != nil {
			d.Wrong(strict.Below(at, name), "%v", err)
		}
		all[name] = d.table(strict.Below(at, name), v)
	}
	return all
}

// table reads a table; none if there is no such key.
func (d decoder) table(at toml.Key, value any) map[string]any {
	table, ok := value.(map[string]any)
	if value != nil && !ok {
		d.Wrong(at, "want a table")
	}
	return table
}

func (d decoder) role(name string, table map[string]any) Role {
	at := toml.Key{"roles", name}
	d.known(at, table, "allow", "commands")
	if slices.ContainsFunc(Roles(), func(r Role) bool { return r.Name == name }) {
		d.EachIn(at, errors.New("is built in; give the role another name"))
	}
	r := Role{Name: name, Allow: d.texts(at, table, "allow"), Commands: d.texts(at, table, "commands")}
	d.EachIn(at, r.check())
	return r
}

func (d decoder) user(name string, table map[string]any, roles map[string]Role) User {
	at := toml.Key{"users", name}
	d.known(at, table, "password", "tokens", "certificate", "roles")
	u := User{Name: name, Roles: d.texts(at, table, "roles")}
	d.text(at, table, "password", func(text string) (err error) {
		u.Password, err = ParseHash(text)
		return err
	})
	d.text(at, table, "certificate", func(text string) (err error) {
		u.Certificate, err = parseCertificate(text)
		return err
	})
	for _, text := range d.texts(at, table, "tokens") {
		token, err := ParseDigest(text)
		d.Each(strict.Below(at, "tokens"), err)
		u.Tokens = append(u.Tokens, token)
	}
	for _, role := range u.Roles {
		if _, ok := roles[role]; !ok {
			d.Wrong(strict.Below(at, "roles"), "there is no role %q; there are %s", role, strings.Join(slices.Sorted(maps.Keys(roles)), ", "))
		}
	}
	return u
}

// text reads a text, if there is such a key.
func (d decoder) text(at toml.Key, table map[string]any, name string, parse func(string) error) {
	switch v := table[name].(type) {
	case nil:
	case string:
		d.Each(strict.Below(at, name), parse(v))
	default:
		d.Wrong(strict.Below(at, name), "want a text in quotes")
	}
}

// texts reads a list of texts; none if there is no such key.
func (d decoder) texts(at toml.Key, table map[string]any, name string) (texts []string) {
	if table[name] == nil {
		return nil
	}
	list, ok := table[name].([]any)
	for _, item := range list {
		text, isText := item.(string)
		texts, ok = append(texts, text), ok && isText
	}
	if !ok {
		d.Wrong(strict.Below(at, name), "want a list of texts in quotes")
		return nil
	}
	return texts
}

// checkName wants a name to be one that a header can carry and a log can show.
func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.Contains(name, ":") || strings.ContainsFunc(name, odd) {
		return fmt.Errorf("the name %.40q: want 1 to %d bytes that print, without \":\"", name, maxName)
	}
	return nil
}

// odd tells whether a character does not print.
func odd(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }

// parseCertificate reads the name of a certificate or its fingerprint.
func parseCertificate(text string) (string, error) {
	if strings.HasPrefix(text, digestPrefix) {
		d, err := ParseDigest(text)
		return d.String(), err
	}
	if text == "" || strings.ContainsFunc(text, odd) {
		return "", errors.New("want the common name of a client certificate, or the \"sha256:...\" of its fingerprint")
	}
	return text, nil
}
