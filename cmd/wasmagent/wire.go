package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/audit"
	"github.com/wasmagent/wasmagent/builtin"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/facts"
	"github.com/wasmagent/wasmagent/listen/rest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/providers/confine"
	"github.com/wasmagent/wasmagent/runtime"
)

// Options are what flags change about an agent.
type options struct {
	allow     policy.Grants // granted beside what the configuration grants
	time      time.Duration // of each check; zero leaves it to the configuration
	interpret bool
	first     bool              // whether programs are interpreted until they are compiled
	log       slog.Leveler      // the least that is logged, unless a flag says otherwise
	trace     bool              // whether paths that scripts try are printed
	tell      bool              // whether modules are told of the events that they subscribe to
	audited   bool              // whether the audit log is written
	own       func() []net.Addr // the addresses of the agent's own listeners
	logs      *rest.Logs        // keeps the end of the log; nil keeps none
}

// A setup is an agent with everything that it is wired to.
type setup struct {
	config    config.Config
	options   options
	agent     *agent.Agent
	providers *providers.Providers
	engine    *runtime.Engine
	library   *library
	log       *slog.Logger
	audit     *audit.Log
	trace     *trace
	refused   *refused
	target    string // the module that options.allow is for; empty is every one
}

// wireConfigured makes an agent of the configuration for a command that prints.
func (a *app) wireConfigured(ctx context.Context) (*setup, error) {
	c, err := a.configuration()
	if err != nil {
		return nil, err
	}
	return a.wire(ctx, c, options{log: slog.LevelWarn})
}

// wire makes an agent without modules. Whoever calls it closes it.
func (a *app) wire(ctx context.Context, c config.Config, o options) (*setup, error) {
	log, err := a.logger(o.log)
	if err != nil {
		return nil, err
	}
	if o.logs != nil {
		log = slog.New(o.logs.Handler(log.Handler()))
	}
	shim, err := confine.Self()
	if err != nil {
		return nil, err
	}
	dirs := usable(c, log)
	progress := newProgress(a.stderr)

	machine := facts.New()
	engine, err := runtime.NewEngine(runtime.Config{
		CacheDir:       below(dirs.Cache, compiled),
		Interpret:      o.interpret,
		InterpretFirst: o.first,
		Pressed:        pressed(machine),
		Log:            log,
		Compiling:      progress.of("compiling"),
	})
	if err != nil {
		return nil, err
	}
	s := &setup{config: c, options: o, engine: engine, log: log}
	scripts, err := providers.New(providers.Config{
		Engine:     engine,
		Facts:      documents(machine),
		StateDir:   dirs.State,
		Observe:    s.observe,
		Extensions: c.Providers,
		Path:       c.Directories.Interpreters,
		UnpackDir:  dirs.Scratch,
		Native:     c.Native,
		Shim:       shim,
		Own:        o.own,
		Log:        log,
	})
	if err != nil {
		engine.Close()
		return nil, prefix(cmp.Or(c.File, "the agent"), err)
	}
	s.providers = scripts
	if o.audited {
		s.audit = newAudit(c, log)
	}
	if o.trace {
		s.trace = &trace{out: a.stderr, needed: map[string]bool{}}
	}
	s.library = newLibrary(c, toolchain.Builder{Dir: below(dirs.Cache, "built"), Building: progress.of("building")})
	s.library.audit = s.audit
	s.agent = agent.New(agent.Config{
		Providers: scripts,
		Find:      s.library.finder(ctx),
		Grants:    s.settings,
		Runs:      c.Runs,
		Time:      o.time,
		Tell:      o.tell,
		Log:       log,
	})
	addBuiltins(s.agent, machine)
	s.addAliases()
	return s, nil
}

// addBuiltins makes the modules available that are compiled in.
func addBuiltins(a *agent.Agent, machine *facts.Source) {
	a.AddBuiltin(config.CheckSystem, func() agent.Builtin { return builtin.NewSystem(machine) })
	a.AddBuiltin(config.CheckHelpers, func() agent.Builtin { return builtin.NewHelpers(a) })
}

// close ends the agent and what it is wired to.
func (s *setup) close() {
	if err := s.agent.Close(); err != nil {
		s.log.Warn("closing modules", "error", err)
	}
	if err := s.engine.Close(); err != nil {
		s.log.Warn("closing the engine", "error", err)
	}
}

// compiled is the directory of machine code in the cache.
const compiled = "compiled"

// documents are the files below /host.
func documents(machine *facts.Source) map[string]runtime.Document {
	files := map[string]runtime.Document{}
	for _, name := range facts.Names() {
		files[name] = func(ctx context.Context) ([]byte, error) { return machine.Document(ctx, name) }
	}
	return files
}

// nativeScratch is where modules are unpacked for scripts with a user of their
// own, who cannot get into the cache.
const nativeScratch = "/var/cache/wasmagent-native"

// usable returns the directories with what the configuration leaves open filled
// in. A cache that cannot be made is left out: it saves time and nothing else.
func usable(c config.Config, log *slog.Logger) config.Directories {
	d := c.Directories
	if d.Cache != "" {
		if err := os.MkdirAll(below(d.Cache, compiled), 0o700); err != nil {
			log.Warn("nothing is kept from run to run; set cache in [directories] of config.toml to a directory that can be written", "error", err)
			d.Cache = ""
		}
	}
	if d.Scratch == "" && c.Native.User != "" {
		d.Scratch = nativeScratch
	}
	if d.Scratch == "" {
		d.Scratch = below(d.Cache, "unpacked")
	}
	if d.Scratch == "" {
		d.Scratch = filepath.Join(os.TempDir(), fmt.Sprintf("wasmagent-%d", os.Geteuid()))
	}
	return d
}

// below is a directory in another one; empty if there is none.
func below(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

// mounts are the directories and files below /files.
func mounts(list config.Mounts, limits policy.Limits) map[string]providers.Files {
	files := map[string]providers.Files{}
	for name, m := range list {
		quota := runtime.Quota{Bytes: int64(cmp.Or(m.Size, limits.State)), Files: cmp.Or(m.Files, limits.StateFiles)}
		files[name] = providers.Files{Path: m.Path, Writable: m.Writable, Quota: quota}
	}
	return files
}

// settings are what the operator says about a module: in the configuration, and
// with flags.
func (s *setup) settings(module string) agent.Settings {
	entry, _ := s.config.Module(module)
	grant := providers.Grant{Allow: s.granted(module), Limits: entry.Limits, Files: mounts(s.config.Files, s.config.Limits), Env: environment(entry.Env), Roots: entry.CA.Pool()}
	if s.options.time > 0 {
		grant.Limits.Time = s.options.time
	}
	return agent.Settings{Grant: grant, Strict: entry.Strict}
}

// granted is what a module is granted: in the configuration, and with flags.
func (s *setup) granted(module string) policy.Grants {
	entry, _ := s.config.Module(module)
	if s.target == "" || fold(s.target) == fold(module) {
		return slices.Concat(entry.Allow, s.options.allow)
	}
	return entry.Allow
}

// configuration reads the configuration that the flags and the environment
// name.
func (a *app) configuration() (config.Config, error) {
	file, err := config.Find(a.configFile)
	if err != nil {
		return config.Config{}, err
	}
	return config.Load(file)
}

// logger writes to standard error, from the level of --log-level or else this
// one.
func (a *app) logger(level slog.Leveler) (*slog.Logger, error) {
	if a.logLevel != "" {
		var named slog.Level
		if err := named.UnmarshalText([]byte(a.logLevel)); err != nil {
			return nil, fmt.Errorf("--log-level %q: want debug, info, warn or error", a.logLevel)
		}
		level = named
	}
	return newLogger(a.stderr, level), nil
}

func newLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// tight is the share of the machine's memory above which nothing is kept that is not
// needed.
const tight = 0.95

// pressed tells whether memory is short, as far as the machine tells.
func pressed(machine *facts.Source) func() bool {
	return func() bool {
		m, err := machine.Memory(context.Background())
		return err == nil && m.UsedRatio > tight
	}
}
