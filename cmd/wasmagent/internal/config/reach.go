package config

import (
	"crypto/x509"
	"fmt"
	"maps"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/strict"
)

// maxAuthorities is the largest bundle of certificates in bytes.
const maxAuthorities = 4 << 20

// Mounts are directories and files of the host by their names under /files.
type Mounts map[string]Mount

// A Mount is a directory or a file of the host.
type Mount struct {
	// Path is where it is.
	Path string `toml:"path"`
	// Writable lets scripts change what is in it.
	Writable bool `toml:"writable"`
	// Size and Files bound what is in a writable one; zeros are the limits of
	// /state.
	Size  policy.Bytes `toml:"size"`
	Files int          `toml:"files"`
}

// Values are the values at /env/NAME, by their names.
type Values map[string]Value

// A Value is a text, or where to find one: exactly one of these is set, or none
// for the empty text. It may be a secret, which no message shows.
type Value struct {
	Text string `toml:"-"`
	// File is a file with the text; the line break at its end is not part of it.
	File string `toml:"file"`
	// Env is a variable in the environment of the agent.
	Env string `toml:"env"`
}

// A CA is a set of authorities that vouch for TLS servers.
type CA struct {
	// File is where they were read; empty for those of the system.
	File string
	// PEM is what was read.
	PEM string
}

// Pool holds the authorities; nil for those of the system.
func (c CA) Pool() *x509.CertPool {
	if c.File == "" {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(c.PEM))
	return pool
}

// segment is a name that is one segment of a path, and no pattern.
var segment = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// named decodes a table whose keys are names in paths. A value is a text, or a
// table into which entry decodes.
func named[T any](d *decoder, at toml.Key, value any, text func(string) T, entry func(at toml.Key, table map[string]any) T) map[string]T {
	var entries map[string]any
	if !assign(d, at, value, &entries, "a table") {
		return nil
	}
	list := map[string]T{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		at := strict.Below(at, name)
		if !segment().MatchString(name) {
			d.Wrong(at, `want a name of up to 64 letters, digits, "_", "." and "-", such as "log"`)
		}
		switch v := entries[name].(type) {
		case string:
			list[name] = text(v)
		case map[string]any:
			list[name] = entry(at, v)
		default:
			d.Wrong(at, "want a text in quotes or a table") // which may be a secret
		}
	}
	return list
}

// mounts decodes what is at /files.
func (d *decoder) mounts(at toml.Key, value any, dst *Mounts) {
	*dst = named(d, at, value, func(path string) Mount { return Mount{Path: absolute(d.dir, path)} }, d.mount)
}

func (d *decoder) mount(at toml.Key, table map[string]any) (m Mount) {
	d.table(at, table, &m)
	if m.Path == "" {
		d.Wrong(at, "names no directory or file; add path")
	}
	if !m.Writable && (m.Size != 0 || m.Files != 0) {
		d.Wrong(at, "size and files bound what scripts write, and this is not writable; add writable = true, or remove them")
	}
	m.Path = absolute(d.dir, m.Path)
	return m
}

// values decodes what is at /env.
func (d *decoder) values(at toml.Key, value any, dst *Values) {
	*dst = named(d, at, value, func(text string) Value { return Value{Text: text} }, d.reference)
}

// reference decodes where a value of /env is to be found.
func (d *decoder) reference(at toml.Key, table map[string]any) (v Value) {
	d.table(at, table, &v)
	if len(table) != 1 {
		d.Wrong(at, `want either file or env, such as { file = "token.txt" }`)
	}
	v.File = absolute(d.dir, v.File)
	return v
}

// ca reads the bundle of certificates of a name.
func (d *decoder) ca(at toml.Key, value any, dst *CA) {
	var file string
	if !assign(d, at, value, &file, "the name of a file of certificates in PEM") {
		return
	}
	var err error
	d.read = append(d.read, absolute(d.dir, file))
	if *dst, err = readCA(absolute(d.dir, file)); err != nil {
		d.Wrong(at, "%v", err)
	}
}

func readCA(file string) (CA, error) {
	text, err := read(file, maxAuthorities)
	if err != nil {
		return CA{}, err
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(text)) {
		return CA{}, fmt.Errorf("%s: holds no certificate in PEM; want blocks that begin with -----BEGIN CERTIFICATE-----", file)
	}
	return CA{File: file, PEM: text}, nil
}
