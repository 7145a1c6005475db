// Package config reads and edits config.toml: which modules are loaded, what they
// are granted, whose modules they may be, where the agent keeps its files, where it
// listens, and what it checks by itself.
//
// Guarantees: a Config is returned only if everything in the file is right;
// otherwise the error lists every mistake with its line and its remedy. An
// unknown key is a mistake. Every path in a Config is absolute: a relative one
// is resolved against the directory of the file. A file that every user can
// write is refused, and so is a public key, for whoever can write it can grant
// anything. An edit changes what it is asked to and nothing else, or is refused.
//
// A Config is plain data; it may be read from several goroutines.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/internal/private"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers/confine"
	"github.com/wasmagent/wasmagent/trust"
)

// MaxFile is the largest config.toml in bytes.
const MaxFile = 1 << 20

// Config is what the file says, with the default in every place where it says
// nothing. Its toml tags are the keys of the file.
type Config struct {
	// File is the file that was read; empty when there was none.
	File string `toml:"-"`
	// Read are the files of keys and of certificates that it names, and that were
	// read with it.
	Read []string `toml:"-"`
	// Modules are the entries by module name, in the case of the file.
	Modules Modules `toml:"modules"`
	// Limits hold for every module that sets none of its own; zeros are the
	// defaults of package policy.
	Limits policy.Limits `toml:"limits"`
	// Providers maps extensions to the names of providers, beside the table
	// that is compiled in.
	Providers map[string]string `toml:"providers"`
	// Directories are the agent's own.
	Directories Directories `toml:"directories"`
	// Strict makes it an error that a module is granted less than it asks for.
	Strict bool `toml:"strict"`
	// Runs is the most checks that run at one time, all modules together; zero
	// is the default.
	Runs int `toml:"runs"`
	// Files are the directories and files of the host at /files/NAME.
	Files Mounts `toml:"files"`
	// CA are the authorities that vouch for TLS servers.
	CA CA `toml:"ca"`
	// Trust says whose modules are loaded.
	Trust trust.Policy `toml:"trust"`
	// Audit says where the audit log is.
	Audit Audit `toml:"audit"`
	// Native is how native scripts are confined.
	Native confine.Config `toml:"native"`
	// Log says what is logged.
	Log Log `toml:"log"`
	// User is who the agent becomes if root starts it; empty is the default.
	User string `toml:"user"`
	// Users is the file of those who may ask, by name.
	Users string `toml:"users"`
	// TLS is the certificate of all listeners.
	TLS TLS `toml:"tls"`
	// Listen bounds each listener.
	Listen Bounds `toml:"listen"`
	// NRPE, REST and Prometheus are the listeners.
	NRPE       NRPE       `toml:"nrpe"`
	REST       REST       `toml:"rest"`
	Prometheus Prometheus `toml:"prometheus"`
	// OTLP says where metrics are pushed to.
	OTLP OTLP `toml:"otlp"`
	// Schedule are the checks that the agent runs by itself.
	Schedule Schedule `toml:"schedule"`
	// Aliases are commands that stand for others with arguments.
	Aliases Aliases `toml:"aliases"`
	// Events says where events are written to.
	Events Events `toml:"events"`
}

// Modules are the modules that are named in the file.
type Modules map[string]Module

// A Module is one entry of the table of modules.
type Module struct {
	// Enabled is whether the agent loads it; an entry that is not still grants.
	Enabled bool `toml:"enabled"`
	// Path is the zip or the directory; empty for a built-in module and for one
	// in the modules directory.
	Path string `toml:"path"`
	// Allow are the grants.
	Allow policy.Grants `toml:"allow"`
	// Strict is Config.Strict for this module.
	Strict bool `toml:"strict"`
	// Pin is the digest of the only zip that is loaded; empty is any that Trust
	// allows.
	Pin trust.Digest `toml:"sha256"`
	// Source is where "wasmagent install" got it from; zero if it did not.
	Source fetch.Source `toml:"source"`
	// Env are the values at /env/NAME.
	Env Values `toml:"env"`
	// CA is Config.CA for this module.
	CA CA `toml:"ca"`
	// Limits are the module's own, over those of the Config.
	Limits policy.Limits `toml:"limits"`
}

// Directories are where the agent finds and keeps files.
type Directories struct {
	// Modules is where a module without a path is looked for.
	Modules string `toml:"modules"`
	// Cache is where compiled code and built programs are kept; empty when no
	// such place is known, and then nothing is kept.
	Cache string `toml:"cache"`
	// Data is where the agent keeps what is its own, the host key and the users
	// above all; empty when no such place is known.
	Data string `toml:"data"`
	// State is where the modules' /state is kept; empty when no such place is
	// known, and then there is none.
	State string `toml:"state"`
	// Scratch is where modules with native scripts are unpacked while they are
	// loaded; empty leaves it to the agent.
	Scratch string `toml:"scratch"`
	// Interpreters are where the interpreters of native scripts are looked for;
	// none leaves it to package providers.
	Interpreters []string `toml:"interpreters"`
}

// Audit says where the audit log is, and how much of it is kept.
type Audit struct {
	// Path is the file; empty when no place for it is known.
	Path string `toml:"path"`
	// Size is what the file may grow to before it is set aside; zero is the
	// default.
	Size policy.Bytes `toml:"size"`
	// Keep is how many files that were set aside are kept; zero is the default.
	Keep int `toml:"keep"`
}

// Log says what is logged.
type Log struct {
	Level slog.Level `toml:"level"`
}

// Load reads a file. An empty name is no file: the defaults, and relative
// paths as if the file were System.
func Load(name string) (Config, error) {
	if name == "" {
		return defaults().in(filepath.Dir(System())), nil
	}
	name, err := filepath.Abs(name)
	if err != nil {
		return Config{}, err
	}
	text, err := read(name, MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("there is no %s; correct --config, or the variable %s", name, Variable)
	}
	if err != nil {
		return Config{}, err
	}
	return Parse(name, text)
}

// Parse reads the text of the file of that name, and the .pub files that it
// names.
func Parse(name, text string) (Config, error) {
	c := defaults()
	c.File = name
	if err := decode(name, text, &c); err != nil {
		return Config{}, err
	}
	c.Directories.Modules = cmp.Or(c.Directories.Modules, defaults().Directories.Modules)
	c.Audit.Path = cmp.Or(c.Audit.Path, defaults().Audit.Path)
	c.Directories.Data = cmp.Or(c.Directories.Data, defaults().Directories.Data)
	return c.in(filepath.Dir(name)), nil
}

// read returns the text, of at most limit bytes, of a file that not every user can
// write.
func read(name string, limit int64) (string, error) {
	text, err := private.Read(name, limit, func(info fs.FileInfo) error {
		if writable(info) {
			return fmt.Errorf("%s: every user can write it, and so grant a module anything; run: chmod o-w %[1]s", name)
		}
		return nil
	})
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s: larger than %d bytes; this is no %s", name, limit, kindOf(name))
	}
	return string(text), err
}

// kindOf says what a file should have been.
func kindOf(name string) string {
	switch filepath.Ext(name) {
	case publicKey:
		return "minisign public key"
	case ".toml":
		return "config.toml"
	}
	return "bundle of certificates"
}

// in resolves the relative paths against a directory.
func (c Config) in(dir string) Config {
	c.Directories.State = cmp.Or(c.Directories.State, below(c.Directories.Data, "state"))
	c.Users = cmp.Or(c.Users, below(c.Directories.Data, "users.toml"))
	for _, path := range []*string{
		&c.Directories.Modules, &c.Directories.Cache, &c.Directories.Data, &c.Directories.State, &c.Directories.Scratch,
		&c.Audit.Path, &c.Events.Path, &c.Users, &c.TLS.Certificate, &c.TLS.Key,
	} {
		*path = absolute(dir, *path)
	}
	for i, path := range c.Directories.Interpreters {
		c.Directories.Interpreters[i] = absolute(dir, path)
	}
	for name, m := range c.Modules {
		m.Path = absolute(dir, m.Path)
		c.Modules[name] = m
	}
	return c
}

// below is a file in a directory; empty if there is none.
func below(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// Module returns the entry of a name, ignoring case. A module without an entry
// is granted nothing.
func (c Config) Module(name string) (m Module, named bool) {
	for key, m := range c.Modules {
		if strings.EqualFold(key, name) {
			return m, true
		}
	}
	return Module{Strict: c.Strict, CA: c.CA, Limits: c.Limits}, false
}
