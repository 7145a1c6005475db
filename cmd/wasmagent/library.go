package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A library finds modules in the file system and reads them. It is safe for
// concurrent use.
type library struct {
	config  config.Config
	builder toolchain.Builder
	audit   *audit.Log // hears of zips that are refused

	// lenient reads zips that are not trusted as well, to be shown and not
	// loaded.
	lenient bool

	before  map[string]found // that were read for the configuration before, by folded name
	lock    sync.Mutex
	modules map[string]found   // that were read, by folded name
	rulings map[string]*ruling // on the modules that were read, by folded name
}

// A found is a module with the place where it was.
type found struct {
	path   string
	module *zipmod.Module
	stamp  stamp   // zero if it has to be read again
	ruling *ruling // nil if it has
}

func newLibrary(c config.Config, b toolchain.Builder) *library {
	return &library{config: c, builder: b, modules: map[string]found{}, rulings: map[string]*ruling{}}
}

// after is a library for another configuration, which does not read again what has not
// changed.
func (l *library) after(c config.Config) *library {
	next := newLibrary(c, l.builder)
	next.audit, next.before = l.audit, map[string]found{}
	l.lock.Lock()
	defer l.lock.Unlock()
	maps.Copy(next.before, l.modules)
	return next
}

// fold is the form of a name that ignores case.
func fold(name string) string { return strings.ToLower(name) }

// open reads the zip or the directory at a path, if it is trusted. Of a
// directory, what is missing is built from its source, once the rest is known to
// be right.
func (l *library) open(ctx context.Context, path string) (*zipmod.Module, error) {
	if f, ok := l.unchanged(path); ok {
		return f.module, nil
	}
	// Asked once: what is verified as a zip is not built as a directory.
	dir, before := isDir(path), l.stamp(path)
	opts := zipmod.Options{Limits: l.limits(path), Verify: l.verifier(path, dir)}
	m, err := l.outline(path, opts)
	auditUntrusted(l.audit, err)
	if err == nil && !dir {
		l.keep(m.Name, path, before)
	}
	if err != nil || !dir {
		return m, err
	}
	programs, err := l.builder.Build(ctx, path)
	if err == nil {
		opts.Built, opts.Absent = programs.Built, programs.Absent
		m, err = zipmod.Open(path, opts)
	}
	if err != nil {
		return nil, prefix(path, err)
	}
	l.remember(path, m)
	return m, nil
}

func (l *library) remember(path string, m *zipmod.Module) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.modules[fold(m.Name)] = found{path: path, module: m}
}

// pick reads the one MODULE of a command line that is not built in.
func (l *library) pick(ctx context.Context, module string) (*zipmod.Module, error) {
	path, err := l.locate(module)
	if err != nil {
		return nil, err
	}
	return l.open(ctx, path)
}

// locate is the path of the one MODULE of a command line that is not built in: a
// module of the configuration, else a path.
func (l *library) locate(module string) (string, error) {
	if _, ok := l.config.Module(module); !ok || isPath(module) {
		return module, nil
	}
	configured, err := l.path(module)
	if err != nil && !isModuleDir(module) {
		return "", fmt.Errorf("module %s: %w", module, err)
	}
	return cmp.Or(configured, module), nil // an entry that only grants has no path
}

// named reads a module of the configuration.
func (l *library) named(ctx context.Context, name string) (*zipmod.Module, error) {
	path, err := l.path(name)
	if err != nil {
		return nil, err
	}
	return l.open(ctx, path)
}

// errUnbuilt stands for a program that nobody has tried to build.
var errUnbuilt = errors.New("it is not built from its source yet")

// manifest reads a module, if it is trusted, without building anything.
func (l *library) manifest(path string) (*zipmod.Module, error) {
	return l.outline(path, zipmod.Options{Limits: l.limits(path), Verify: l.verifier(path, isDir(path))})
}

// outline reads a module without building anything.
func (l *library) outline(path string, opts zipmod.Options) (*zipmod.Module, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file or directory; want a zip, a directory or a module of config.toml", path)
	}
	if isDir(path) {
		names, err := toolchain.Sources(path)
		if err != nil {
			return nil, err
		}
		opts.Absent = map[string]error{}
		for _, name := range names {
			opts.Absent[name] = errUnbuilt
		}
	}
	m, err := zipmod.Open(path, opts)
	if err != nil {
		return nil, prefix(path, err)
	}
	l.remember(path, m)
	return m, nil
}

// limits are those of the module at a path.
func (l *library) limits(path string) policy.Limits {
	entry, _ := l.config.Module(moduleName(path))
	return entry.Limits
}

// moduleName is the name of the module at a path.
func moduleName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return zipmod.TrimZip(filepath.Base(path))
}

// path finds the module of a name that the configuration has: where the entry
// says, else in the modules directory.
func (l *library) path(name string) (string, error) {
	if entry, _ := l.config.Module(name); entry.Path != "" {
		if _, err := os.Stat(entry.Path); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("there is no %s; correct its path in config.toml", entry.Path)
		}
		return entry.Path, nil
	}
	dir := l.config.Directories.Modules
	if path, ok := within(dir, name); ok {
		return path, nil
	}
	return "", notFound{name, dir}
}

// A notFound is the error for a module that is not where it is looked for.
type notFound struct{ name, dir string }

func (e notFound) Error() string {
	return fmt.Sprintf("there is no %s.zip and no directory %[1]s with a module.json in %s; set its path in config.toml", e.name, e.dir)
}

// Is makes it an fs.ErrNotExist.
func (e notFound) Is(target error) bool { return target == fs.ErrNotExist }

// finder finds what modules require.
func (l *library) finder(ctx context.Context) func(string, *zipmod.Module) (*zipmod.Module, error) {
	return func(name string, by *zipmod.Module) (*zipmod.Module, error) {
		path, err := l.required(name, by)
		if err != nil {
			return nil, err
		}
		return l.open(ctx, path)
	}
}

// required is where a module is that another one requires: where the
// configuration says, else beside the one that names it, else in the modules
// directory.
func (l *library) required(name string, by *zipmod.Module) (string, error) {
	beside := filepath.Dir(l.read(by.Name).path)
	entry, _ := l.config.Module(name)
	if path, ok := within(beside, name); ok && entry.Path == "" {
		return path, nil
	}
	path, err := l.path(name)
	if missing := (notFound{}); errors.As(err, &missing) {
		err = notFound{name, beside + " or " + missing.dir}
	}
	return path, err
}

// paths lists where the modules were that were read, and where their signatures are
// or would be.
func (l *library) paths() (list []string) {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, found := range l.modules {
		list = append(list, found.path, found.path+trust.Extension)
	}
	return list
}

// read is a module that was read; zero if none of that name was.
func (l *library) read(name string) found {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.modules[fold(name)]
}

// absent is why a module has no program for one of its commands; nil if it has.
func (l *library) absent(module, alias string) error {
	m := l.read(module).module
	if m == nil {
		return nil // it is built in
	}
	for _, s := range m.Scripts {
		if s.Alias == alias {
			return s.Absent
		}
	}
	return nil
}

// within looks for a module by its name, ignoring case, a zip before a
// directory.
func within(dir, name string) (path string, ok bool) {
	if path := filepath.Join(dir, name+".zip"); isFile(path) { // without a look at all the others
		return path, true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if strings.EqualFold(e.Name(), name+".zip") {
			return file, true
		}
		if strings.EqualFold(e.Name(), name) && isModuleDir(file) {
			path, ok = file, true
		}
	}
	return path, ok
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// isModuleDir tells whether a directory is, or may be, one of a module.
func isModuleDir(path string) bool {
	_, err := os.Stat(filepath.Join(path, "module.json"))
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// prefix puts a subject before each of the joined errors.
func prefix(subject string, err error) error {
	var errs []error
	for _, e := range each(err) {
		errs = append(errs, fmt.Errorf("%s: %w", subject, e))
	}
	return errors.Join(errs...)
}

// each lists the errors that were joined, and those that were joined in them.
func each(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok, errors.Join(joined.Unwrap()...).Error() != err.Error(): // a sentence about several
		return []error{err}
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, each(e)...)
	}
	return errs
}
