// Package providers makes the scripts of a zip module into commands.
//
// A provider is a way to run a script. It is chosen by the extension of the
// script's file, from a table that the configuration can change, unless
// module.json names one:
//
//   - WasmScript runs a WebAssembly program in the sandbox (package runtime).
//   - CheckExternalScripts starts a process of the host: an interpreter by the
//     script's extension or by its "#!" line, or the script itself.
//   - PythonScript starts python3.
//
// The last two leave the sandbox, so they need the grant /exec/NAME, where NAME
// is the interpreter that runs the script: "sh", "bash", "perl", "python3",
// "powershell", "cmd", "cscript"; and "native" for a script that is itself a
// program. A script is the request for its own grant.
//
// Guarantees:
//
//   - A module loads whole or not at all, and the error names every script that
//     stood in the way.
//   - Arguments reach a script as argv, word by word; no shell reads them.
//   - A script that was stopped, crashed, or ended with something else than a
//     plugin's answer is UNKNOWN, with what happened.
//   - A host process starts in a private copy of its zip, with an environment
//     of its own, an empty standard input and no descriptor of the agent. Its
//     time and output are bounded, package confine bounds the rest as far as the
//     system lets it, and what the process started ends when it does. On Unix
//     other than Linux a process that leaves its session (setsid) escapes that.
//
// A Providers is safe for concurrent use, and so is every Runner that it makes.
package providers

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers/confine"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// The names of the providers.
const (
	WasmScript           = "WasmScript"
	CheckExternalScripts = "CheckExternalScripts"
	PythonScript         = "PythonScript"
)

// Names lists the providers.
func Names() []string { return []string{CheckExternalScripts, PythonScript, WasmScript} }

// Extensions is the table of providers by extension, in lower case and with the
// dot, that holds where the configuration says nothing; "" is a file without an
// extension.
func Extensions() map[string]string {
	return map[string]string{
		".wasm": WasmScript,
		".py":   PythonScript,
		".sh":   CheckExternalScripts,
		".bat":  CheckExternalScripts,
		".cmd":  CheckExternalScripts,
		".ps1":  CheckExternalScripts,
		".vbs":  CheckExternalScripts,
		".exe":  CheckExternalScripts,
		"":      CheckExternalScripts,
	}
}

// Config configures Providers. The zero Config is a valid one, which can run
// nothing: Engine is what .wasm scripts need, UnpackDir what the others need.
type Config struct {
	// Engine runs the programs of the sandbox.
	Engine *runtime.Engine
	// Facts are what can be read under /host, by name.
	Facts map[string]runtime.Document
	// StateDir is where each module's /state is kept, in a directory of the
	// module's name in lower case, which is made when it is first used. Empty
	// keeps none.
	StateDir string
	// Observe is called when a run of a script begins. It returns what hears of
	// every path that the run tries, in its goroutine, and of its end. Nil hears
	// nothing.
	Observe func(m *zipmod.Module, command string) (tried func(runtime.Attempt), ended func())
	// Extensions maps extensions to providers, over the table of Extensions.
	Extensions map[string]string
	// Path lists the directories in which interpreters are looked for; it is
	// also the PATH of host processes. Nil is the system's own directories.
	Path []string
	// UnpackDir is where modules with host scripts are unpacked while they are
	// loaded; it is created if missing, and refused if others can reach into it
	// or put another in its place. Several agents may share it.
	UnpackDir string
	// Native is how host processes are confined; zeros are the defaults.
	Native confine.Config
	// Shim starts host processes on Unix. Without it no host script can run there.
	Shim *confine.Shim
	// Own lists the addresses of the agent's own listeners, to which a script of the
	// sandbox connects only if a grant names the very address. Nil is none.
	Own func() []net.Addr
	// Log hears of what could not be cleaned up, and of every module that loads
	// with scripts outside of the sandbox. Nil is slog.Default.
	Log *slog.Logger
}

// Providers runs the scripts of modules.
type Providers struct {
	config     Config
	engine     *runtime.Engine
	extensions map[string]string
	path       []string
	cage       *confine.Cage
	scratch    *scratch
}

// New checks the table of extensions and the directory for unpacking, and
// removes from the latter what agents that crashed have left there. Descriptors
// that this process was started with are its own from then on: none of its
// children inherits them.
func New(c Config) (*Providers, error) {
	extensions, err := extensionTable(c.Extensions)
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Path == nil {
		c.Path = systemPath()
	}
	for _, directory := range c.Path {
		if !filepath.IsAbs(directory) {
			return nil, fmt.Errorf("directory %q of interpreters: is not absolute; write all of it", directory)
		}
	}
	cage, err := confine.New(c.Native, c.Shim)
	if err != nil {
		return nil, err
	}
	keepDescriptors()
	scratch, err := openScratch(c.UnpackDir, cage, c.Log)
	if err != nil {
		return nil, err
	}
	if c.Observe == nil {
		c.Observe = func(*zipmod.Module, string) (func(runtime.Attempt), func()) {
			return func(runtime.Attempt) {}, func() {}
		}
	}
	return &Providers{config: c, engine: c.Engine, extensions: extensions, path: c.Path, cage: cage, scratch: scratch}, nil
}

// Unconfined says for people what of host processes this system, or the
// configuration, does not let the agent confine.
func (p *Providers) Unconfined() []string { return p.cage.Missing() }

// extensionTable lays changes over the standard table.
func extensionTable(changes map[string]string) (map[string]string, error) {
	table := Extensions()
	var errs []error
	for _, extension := range slices.Sorted(maps.Keys(changes)) {
		provider := changes[extension]
		if extension != "" && (path.Ext(extension) != extension || strings.ContainsAny(extension, `/\ `)) {
			errs = append(errs, fmt.Errorf("provider of extension %q: want an extension with its dot, such as %q", extension, ".sh"))
		}
		if !slices.Contains(Names(), provider) {
			errs = append(errs, fmt.Errorf("provider %q of extension %q: there is none of that name; want one of %s", provider, extension, strings.Join(Names(), ", ")))
		}
		table[strings.ToLower(extension)] = provider
	}
	return table, errors.Join(errs...)
}

// A Plan says how one script will run.
type Plan struct {
	// Script is the script.
	Script zipmod.Script
	// Provider is the name of its provider.
	Provider string
	// Exec is the permission that it needs to leave the sandbox, "/exec/NAME";
	// empty for a script that stays inside.
	Exec string

	interpreter interpreter // of a script with Exec
}

// Plans says how the scripts of a module will run, in their order, without
// preparing any. The error names every script for which there is no way.
func (p *Providers) Plans(m *zipmod.Module) ([]Plan, error) {
	var errs []error
	plans := make([]Plan, len(m.Scripts))
	for i, s := range m.Scripts {
		plan, err := p.plan(m, s)
		if err != nil {
			errs = append(errs, fmt.Errorf("script %s: %w", s.File, err))
		}
		plans[i] = plan
	}
	return plans, errors.Join(errs...)
}

func (p *Providers) plan(m *zipmod.Module, s zipmod.Script) (Plan, error) {
	plan := Plan{Script: s, Provider: s.Provider}
	if plan.Provider == "" {
		extension := strings.ToLower(path.Ext(s.File))
		if plan.Provider = p.extensions[extension]; plan.Provider == "" {
			return plan, fmt.Errorf("no provider for the extension %q; name one in module.json or in config.toml", extension)
		}
	}
	var err error
	switch plan.Provider {
	case WasmScript:
		return plan, nil
	case PythonScript:
		plan.interpreter = python
	case CheckExternalScripts:
		plan.interpreter, err = interpreterOf(s.File, content(m, s.File))
	default:
		err = fmt.Errorf("no provider is named %q; want one of %s", plan.Provider, strings.Join(Names(), ", "))
	}
	plan.Exec = "/exec/" + plan.interpreter.name
	return plan, err
}

// content returns a file of the module; nil where it is absent.
func content(m *zipmod.Module, name string) []byte {
	i, found := slices.BinarySearchFunc(m.Files, name, func(f zipmod.File, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return nil
	}
	return m.Files[i].Data
}

// A Grant is what a module is given.
type Grant struct {
	// Allow are the paths that the operator lets it open, as far as it asks for
	// them.
	Allow policy.Grants
	// Limits bound its scripts; zeros are the defaults.
	Limits policy.Limits
	// Files are the directories and files under /files, by name.
	Files map[string]Files
	// Env are the values under /env, by name.
	Env map[string]runtime.Document
	// Roots are the authorities that vouch for TLS servers; nil is the system's.
	Roots *x509.CertPool
	// Commands are what is under /command; nil is nothing.
	Commands Commands
}

// Commands finds a command of the agent, and tells whether a module may run it
// without a grant. A nil Runner is no command.
type Commands func(name string) (run check.Runner, own bool)

// A Command is a script that is ready to run.
type Command struct {
	Plan
	// Runner runs it. It answers UNKNOWN, or with an error, for whatever kept
	// the script from giving its own answer.
	Runner check.Runner
}

// Loaded is a module whose scripts are ready to run.
type Loaded struct {
	// Commands are the module's scripts, in their order.
	Commands []Command
	// Access is what the module asks for, the permissions that its host scripts
	// imply included, and what it was granted.
	Access policy.Access

	providers *Providers
	programs  map[string]*runtime.Program // by file
	home      *home
}

// Load makes the scripts of a module ready to run: it compiles its programs, as
// many at a time as there are processors. Host scripts are unpacked when the
// first of them runs. The error names every script that could not be made
// ready; nothing is then left behind.
func (p *Providers) Load(ctx context.Context, m *zipmod.Module, g Grant) (*Loaded, error) {
	plans, err := p.Plans(m)
	if err != nil {
		return nil, err
	}
	l := &Loaded{providers: p, Access: policy.Access{Asked: Asked(m, plans), Granted: g.Allow}, home: &home{scratch: p.scratch, module: m}}
	g.Limits = g.Limits.WithDefaults()
	root, err := p.root(m, g, l.Access)
	if err != nil {
		return nil, err
	}
	if l.programs, err = p.compile(ctx, m, plans, g.Limits); err != nil {
		return nil, err
	}
	gate, outside := newGate(m.Name, g.Limits.Runs), []string(nil)
	for _, plan := range plans {
		s := script{command: plan.Script.Command}
		switch {
		case plan.Script.Absent != nil:
			s.run = unable(fmt.Errorf("script %s is not there: %w", plan.Script.File, plan.Script.Absent))
		case plan.Exec == "":
			s.run = sandboxed{program: l.programs[plan.Script.File], root: root, limits: g.Limits, observe: p.observer(m, plan)}.run
		case !l.Access.Allows(plan.Exec):
			s.run = p.refused(m, plan)
		default:
			s.run, s.meaning = hosted{plan: plan, home: l.home, path: p.path, cage: p.cage, limits: g.Limits}.run, meaning
			outside = append(outside, plan.Script.File)
		}
		l.Commands = append(l.Commands, Command{Plan: plan, Runner: gate.guard(s)})
	}
	p.announce(m.Name, outside)
	return l, nil
}

// observer begins to observe runs of a script; see Config.Observe.
func (p *Providers) observer(m *zipmod.Module, plan Plan) func() (tried func(runtime.Attempt), ended func()) {
	return func() (func(runtime.Attempt), func()) { return p.config.Observe(m, plan.Script.Alias) }
}

// announce says which scripts of a module leave the sandbox.
func (p *Providers) announce(module string, scripts []string) {
	if len(scripts) > 0 {
		p.config.Log.Info("scripts run OUTSIDE the sandbox, as processes of the host", "module", module, "scripts", scripts, "not confined", p.Unconfined())
	}
}

func notGranted(module string, plan Plan) error {
	return fmt.Errorf("script %s runs outside of the sandbox, which is not granted; to allow it, add %q to allow of module %s in config.toml", plan.Script.File, plan.Exec, module)
}

// refused answers for a script that needs a grant to run at all.
func (p *Providers) refused(m *zipmod.Module, plan Plan) runFunc {
	err := notGranted(m.Name, plan)
	return func(context.Context, []string, []byte) (runtime.Output, error) {
		p.refuse(m, plan.Script.Alias, "exec", plan.Exec, err.Error())
		return runtime.Output{}, err
	}
}

// refuse has a refusal observed that is none of a run.
func (p *Providers) refuse(m *zipmod.Module, command, op, path, why string) {
	tried, ended := p.config.Observe(m, command)
	defer ended()
	tried(runtime.Attempt{Op: op, Path: path, Errno: "EACCES", Why: why, Refused: true, NeedsGrant: true})
}

// Refused has it observed that an on_start line of the module may not run the
// command at a path, and why.
func (l *Loaded) Refused(path, why string) {
	l.providers.refuse(l.home.module, "on_start", "open", path, why)
}

// Asked are the permissions that a module asks for: those of module.json, then
// those that its host scripts imply.
func Asked(m *zipmod.Module, plans []Plan) policy.Patterns {
	asked := slices.Clone(m.Permissions)
	for _, plan := range plans {
		if plan.Exec != "" && !slices.Contains(asked, plan.Exec) {
			asked = append(asked, plan.Exec)
		}
	}
	return asked
}

// Close ends what the module holds: its programs, and the directory that it was
// unpacked into. No run may be in flight, and none may follow.
func (l *Loaded) Close() error {
	defer l.home.close()
	return closeAll(l.programs)
}

// unable answers for a script that cannot be run at all.
func unable(err error) runFunc {
	return func(context.Context, []string, []byte) (runtime.Output, error) { return runtime.Output{}, err }
}
