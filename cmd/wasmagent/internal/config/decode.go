package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/access"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/strict"
	"github.com/wasmagent/wasmagent/trust"
)

// A decoder fills a Config in from a document and collects the mistakes.
type decoder struct {
	*strict.Document
	dir         string        // what relative paths are resolved against
	strict      bool          // Config.Strict
	limits      policy.Limits // Config.Limits
	authorities CA            // Config.CA
	read        []string      // files that were read
}

// decode reads a text into c. The error has a line for every mistake.
func decode(name, text string, c *Config) error {
	document, err := strict.Parse(name, text)
	if err != nil {
		return err
	}
	d := decoder{Document: document, dir: filepath.Dir(name)}
	d.table(nil, document.Table, c)
	slices.Sort(d.read)
	c.Read = slices.Compact(d.read)
	return d.Err()
}

// table decodes a table into the struct that dst points to. The modules come
// last: they inherit from the rest.
func (d *decoder) table(key toml.Key, table map[string]any, dst any) {
	fields := fieldsOf(dst)
	for _, name := range slices.Sorted(maps.Keys(table)) {
		at := strict.Below(key, name)
		field, ok := fields[name]
		if !ok {
			d.Unknown(at, slices.Sorted(maps.Keys(fields)))
			continue
		}
		if _, last := field.(*Modules); !last {
			d.value(at, table[name], field)
		}
	}
	if c, ok := dst.(*Config); ok {
		d.strict, d.limits, d.authorities = c.Strict, c.Limits, c.CA
		d.modules(table["modules"], &c.Modules)
		d.whole(c)
	}
}

// fieldsOf returns pointers to a struct's fields by their keys.
func fieldsOf(dst any) map[string]any {
	fields := map[string]any{}
	v := reflect.ValueOf(dst).Elem()
	for i := range v.NumField() {
		field, dst := v.Type().Field(i), v.Field(i).Addr().Interface()
		switch key := field.Tag.Get("toml"); {
		case field.Anonymous:
			maps.Copy(fields, fieldsOf(dst))
		case key != "-":
			fields[key] = dst
		}
	}
	return fields
}

// value decodes one value into what dst points to.
func (d *decoder) value(at toml.Key, value, dst any) {
	switch dst := dst.(type) {
	case *bool:
		assign(d, at, value, dst, "true or false")
	case *string:
		assign(d, at, value, dst, "a text in quotes")
	case *int:
		d.number(at, value, dst)
	case *time.Duration:
		d.text(at, value, `a time such as "10s" or "500ms"`, func(s string) error { return parseDuration(s, dst) })
	case *policy.Bytes:
		d.text(at, value, `a size in B, KB, MB, GB, KiB, MiB or GiB, such as "64MiB"`, func(s string) error { return dst.UnmarshalText([]byte(s)) })
	case *slog.Level:
		d.text(at, value, `"debug", "info", "warn" or "error"`, func(s string) error { return parseLevel(s, dst) })
	case *trust.Require:
		d.text(at, value, `"none", "digest" or "signature"`, func(s string) error { return dst.UnmarshalText([]byte(s)) })
	case *trust.Digest:
		d.text(at, value, "the 64 hex digits of a SHA-256", func(s string) error { return dst.UnmarshalText([]byte(s)) })
	case *fetch.Source:
		d.source(at, value, dst)
	case *trust.Policy:
		d.trust(at, value, dst)
	case *keyModules:
		*dst = append(keyModules{}, d.list(at, value, `patterns such as ["web-*"]`, "a pattern in quotes")...)
	case *[]trust.Key:
		d.keys(at, value, dst)
	case *Mounts:
		d.mounts(at, value, dst)
	case *Values:
		d.values(at, value, dst)
	case *CA:
		d.ca(at, value, dst)
	case *Addresses:
		d.addresses(at, value, dst)
	case *Hosts:
		d.hosts(at, value, dst)
	case *access.Commands:
		d.commands(at, value, dst)
	case *Schedule:
		d.schedule(at, value, dst)
	case *Aliases:
		d.aliases(at, value, dst)
	case *CommandLine:
		d.commandLine(at, value, dst)
	case *URL:
		d.text(at, value, `a URL such as "https://collector.example.com:4318/v1/metrics"`, func(s string) error { return parseURL(s, dst) })
	case *policy.Grants:
		d.grants(at, value, dst)
	case *[]string:
		*dst = d.list(at, value, "directories such as [\"/usr/bin\"]", "a directory in quotes")
	case *map[string]string:
		d.strings(at, value, dst)
	default:
		d.nested(at, value, dst)
	}
}

// assign stores a value that must be a T; want describes one.
func assign[T any](d *decoder, at toml.Key, value any, dst *T, want string) bool {
	v, ok := value.(T)
	if !ok {
		d.Wrong(at, "want %s, not %s", want, kind(value))
		return false
	}
	*dst = v
	return true
}

func (d *decoder) number(at toml.Key, value any, dst *int) {
	var n int64
	if !assign(d, at, value, &n, "a whole number") {
		return
	}
	if n < 0 || n > 1<<31-1 {
		d.Wrong(at, "want a whole number from 0 to %d, not %d", 1<<31-1, n)
		return
	}
	*dst = int(n)
}

// text parses a value that is written as a text.
func (d *decoder) text(at toml.Key, value any, want string, parse func(string) error) {
	var s string
	if !assign(d, at, value, &s, want) {
		return
	}
	if parse(s) != nil {
		d.Wrong(at, "want %s, not %q", want, s)
	}
}

func (d *decoder) grants(at toml.Key, value any, dst *policy.Grants) {
	grants, err := policy.ParseGrants(d.list(at, value, `patterns such as ["/host/*"]`, "a pattern in quotes"))
	d.Each(at, err)
	*dst = grants
}

// list decodes a list of texts; want describes several and one.
func (d *decoder) list(at toml.Key, value any, several, one string) []string {
	var items []any
	if !assign(d, at, value, &items, "a list of "+several) {
		return nil
	}
	var list []string
	for _, item := range items {
		var s string
		if assign(d, at, item, &s, one) {
			list = append(list, s)
		}
	}
	return list
}

func (d *decoder) strings(at toml.Key, value any, dst *map[string]string) {
	var table map[string]any
	if !assign(d, at, value, &table, "a table") {
		return
	}
	*dst = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		var s string
		if assign(d, strict.Below(at, name), table[name], &s, "a text in quotes") {
			(*dst)[name] = s
		}
	}
}

func (d *decoder) nested(at toml.Key, value, dst any) {
	var table map[string]any
	if assign(d, at, value, &table, "a table") {
		d.table(at, table, dst)
	}
}

func parseDuration(s string, dst *time.Duration) error {
	v, err := time.ParseDuration(s)
	if err == nil && v < 0 {
		err = errors.New("negative")
	}
	*dst = v
	return err
}

// parseLevel is stricter than slog: no offsets and lower case.
func parseLevel(s string, dst *slog.Level) error {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, s) {
		return errors.New("unknown")
	}
	return dst.UnmarshalText([]byte(s))
}

// kind names what a value is, for people.
func kind(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf("the text %q", v)
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or a time"
}
