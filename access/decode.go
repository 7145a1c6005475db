package access

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/internal/nearest"
)

// maxName is the longest name of a user or a role in bytes.
const maxName = 128

// A table is a table of the document, with its keys as they are written.
type table map[string]toml.Primitive

// A decoder reads the document and collects the mistakes.
type decoder struct {
	meta     toml.MetaData
	mistakes []mistake
}

// A mistake is one thing to correct in the file.
type mistake struct {
	line int
	text string
}

// Parse reads the text of the users.toml of a name. The error has a line for
// every mistake.
func Parse(name, text string) (*Accounts, error) {
	var document table
	meta, err := toml.Decode(text, &document)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, syntaxError(err))
	}
	d := decoder{meta: meta}
	a := d.accounts(document)
	if err := d.err(name); err != nil {
		return nil, err
	}
	return a, nil
}

func syntaxError(err error) error {
	var at toml.ParseError
	if errors.As(err, &at) {
		return fmt.Errorf("%d: %s", at.Position.Line, at.Message)
	}
	return fmt.Errorf("1: %w", err)
}

// err joins the mistakes in the order of their lines.
func (d *decoder) err(name string) error {
	slices.SortStableFunc(d.mistakes, func(a, b mistake) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, m := range d.mistakes {
		errs = append(errs, fmt.Errorf("%s:%d: %s", name, m.line, m.text))
	}
	return errors.Join(errs...)
}

// wrong records a mistake in the value of a key.
func (d *decoder) wrong(line int, key toml.Key, format string, args ...any) {
	d.mistakes = append(d.mistakes, mistake{max(line, 1), key.String() + ": " + fmt.Sprintf(format, args...)})
}

// accounts reads the document: the roles first, which the users name.
func (d *decoder) accounts(document table) *Accounts {
	a := &Accounts{users: map[string]User{}, roles: map[string]Role{}}
	for _, r := range Roles() {
		a.roles[r.Name] = r
	}
	d.known(nil, document, "users", "roles")
	for name, body := range d.tables(toml.Key{"roles"}, document["roles"]) {
		a.roles[name] = d.role(name, body)
	}
	for name, body := range d.tables(toml.Key{"users"}, document["users"]) {
		a.users[name] = d.user(name, body, a.roles)
	}
	if len(d.mistakes) == 0 {
		d.each(0, toml.Key{"users"}, a.index())
	}
	return a
}

// known records every key of a table that is none of those known.
func (d *decoder) known(at toml.Key, t table, keys ...string) {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if slices.Contains(keys, name) {
			continue
		}
		hint := "known here: " + strings.Join(keys, ", ")
		if near := nearest.To(name, keys); len(near) > 0 {
			hint = fmt.Sprintf("did you mean %q?", near[0])
		}
		d.wrong(d.line(t[name]), below(at, name), "unknown key; %s", hint)
	}
}

// tables reads a table of tables, each under a name.
func (d *decoder) tables(at toml.Key, value toml.Primitive) map[string]table {
	all := map[string]table{}
	for name, v := range d.table(at, value) {
		if err := checkName(name); err != nil {
			d.wrong(d.line(v), below(at, name), "%v", err)
		}
		all[name] = d.table(below(at, name), v)
	}
	return all
}

// table reads a table; none if there is no such key.
func (d *decoder) table(at toml.Key, value toml.Primitive) table {
	var t table
	if v, line := d.read(value); v == nil {
		return nil
	} else if _, ok := v.(map[string]any); !ok {
		d.wrong(line, at, "want a table")
	} else if err := d.meta.PrimitiveDecode(value, &t); err != nil {
		d.wrong(line, at, "%v", err)
	}
	return t
}

func (d *decoder) role(name string, t table) Role {
	at := toml.Key{"roles", name}
	d.known(at, t, "allow", "commands")
	if slices.ContainsFunc(Roles(), func(r Role) bool { return r.Name == name }) {
		d.wrong(d.lineOf(t), at, "is built in; give the role another name")
	}
	r := Role{Name: name, Allow: d.texts(at, t, "allow"), Commands: d.texts(at, t, "commands")}
	d.each(d.lineOf(t), at, r.check())
	return r
}

func (d *decoder) user(name string, t table, roles map[string]Role) User {
	at := toml.Key{"users", name}
	d.known(at, t, "password", "tokens", "certificate", "roles")
	u := User{Name: name, Roles: d.texts(at, t, "roles")}
	d.text(at, t, "password", func(text string) (err error) {
		u.Password, err = ParseHash(text)
		return err
	})
	d.text(at, t, "certificate", func(text string) (err error) {
		u.Certificate, err = parseCertificate(text)
		return err
	})
	for _, text := range d.texts(at, t, "tokens") {
		token, err := ParseDigest(text)
		d.each(d.line(t["tokens"]), below(at, "tokens"), err)
		u.Tokens = append(u.Tokens, token)
	}
	for _, role := range u.Roles {
		if _, ok := roles[role]; !ok {
			d.wrong(d.line(t["roles"]), below(at, "roles"), "there is no role %q; there are %s", role, strings.Join(slices.Sorted(maps.Keys(roles)), ", "))
		}
	}
	return u
}

// text reads a text, if there is such a key.
func (d *decoder) text(at toml.Key, t table, name string, parse func(string) error) {
	v, line := d.read(t[name])
	if v == nil {
		return
	}
	text, ok := v.(string)
	if !ok {
		d.wrong(line, below(at, name), "want a text in quotes")
		return
	}
	d.each(line, below(at, name), parse(text))
}

// texts reads a list of texts; none if there is no such key.
func (d *decoder) texts(at toml.Key, t table, name string) (texts []string) {
	v, line := d.read(t[name])
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	for _, item := range list {
		text, isText := item.(string)
		texts, ok = append(texts, text), ok && isText
	}
	if !ok {
		d.wrong(line, below(at, name), "want a list of texts in quotes")
		return nil
	}
	return texts
}

// each records every error that was joined in err.
func (d *decoder) each(line int, at toml.Key, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			d.each(line, at, err)
		}
	} else if err != nil {
		d.wrong(line, at, "%v", err)
	}
}

// A probe takes a value and refuses it: the error about it says where the value
// stands, which the library tells in no other way.
type probe struct{ value *any }

var errProbe = errors.New("probe")

func (p probe) UnmarshalTOML(value any) error {
	*p.value = value
	return errProbe
}

// read is a value with the line of its key; nil if there is no such key. A table
// that is named only as a part of other keys has no line.
func (d *decoder) read(p toml.Primitive) (value any, line int) {
	var at toml.ParseError
	errors.As(d.meta.PrimitiveDecode(p, probe{&value}), &at)
	return value, at.Position.Line
}

func (d *decoder) line(p toml.Primitive) int {
	_, line := d.read(p)
	return line
}

// lineOf is where the first key of a table stands.
func (d *decoder) lineOf(t table) (first int) {
	for _, p := range t {
		if line := d.line(p); first == 0 || line < first {
			first = line
		}
	}
	return first
}

// below is a key in a table.
func below(at toml.Key, name string) toml.Key { return append(slices.Clone(at), name) }

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
