// Package agent is what makes modules into one agent: it loads and unloads
// them, and dispatches requests to their commands.
//
// Guarantees:
//
//   - A module loads whole or not at all, with the modules that it requires.
//     Unloading takes away what loading added.
//   - A command is found by its alias and as MODULE.alias, in one flat table
//     that ignores case. No name has two owners.
//   - No request goes unanswered while modules come, go and change: a run in
//     flight ends on the version that it began on, which is closed after it.
//   - Runs are bounded in number, in how deep they nest, in how many others one
//     runs, and in the size of their arguments. A panic of a command is that
//     command's error.
//   - Every run is one Event, numbered without gaps. A subscriber that is too
//     slow loses events, and never delays a check.
//   - A module that subscribes to events has a command of its own run for each,
//     one at a time and of bounded many. What an event causes is no event for
//     modules. Subscriptions come, stay and go with the module.
//
// An Agent is safe for concurrent use. Finding a command takes no lock. A
// builtin command may load and unload modules, but not wait for its own.
package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

// The limits of one request.
const (
	MaxCommand  = 512      // bytes of the command's name
	MaxArgs     = 1024     // arguments
	MaxArgBytes = 64 << 10 // bytes of all arguments together
	MaxInput    = 1 << 20  // bytes of standard input
	MaxNesting  = 8        // commands that run one another
	MaxCalls    = 256      // commands that run for it, its own included
)

// The defaults of a Config.
const (
	DefaultRuns = 256
	DefaultTime = time.Minute
)

// Config configures an Agent. Zeros are the defaults.
type Config struct {
	// Providers runs the scripts of zip modules. Without it only builtin
	// modules can be loaded.
	Providers *providers.Providers
	// Find finds the zip module of a name that the module by requires. An error
	// that matches fs.ErrNotExist says that there is none. Nil finds nothing.
	Find func(name string, by *zipmod.Module) (*zipmod.Module, error)
	// Grants says what a module is granted, by its name. Nil grants nothing.
	Grants func(module string) Settings
	// Runs is the most requests that run at one time. A command that another
	// one runs does not count.
	Runs int
	// Time is the longest that a builtin command may take. Scripts have a time
	// limit of their own.
	Time time.Duration
	// Tell is whether modules are told of the events that they subscribe to.
	Tell bool
	// Log hears of panics and of what could not be closed. Nil is slog.Default.
	Log *slog.Logger
}

// Settings are what the operator says about one module.
type Settings struct {
	providers.Grant
	// Strict refuses to load the module if it asks for more than it is granted.
	Strict bool
}

// An Agent is a set of modules and the dispatcher of their commands.
type Agent struct {
	config  Config
	late    error // of a builtin command that takes longer than Config.Time
	table   atomic.Pointer[table]
	running atomic.Int64
	events  events
	telling sync.WaitGroup // of the subscribers that modules have

	changing sync.Mutex // held while the table is changed; guards what follows
	find     func(name string, by *zipmod.Module) (*zipmod.Module, error)
	grants   func(module string) Settings
	round    uint64 // counts what find and grants were
	builtins map[string]available
	modules  uint64 // how many have been made
}

// New returns an Agent without modules.
func New(c Config) *Agent {
	if c.Find == nil {
		c.Find = func(string, *zipmod.Module) (*zipmod.Module, error) { return nil, errNotFound }
	}
	if c.Grants == nil {
		c.Grants = func(string) Settings { return Settings{} }
	}
	if c.Runs <= 0 {
		c.Runs = DefaultRuns
	}
	if c.Time <= 0 {
		c.Time = DefaultTime
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	late := fmt.Errorf("stopped after its time limit of %v", c.Time)
	a := &Agent{config: c, late: late, find: c.Find, grants: c.Grants, builtins: make(map[string]available)}
	a.events.subscribers = make(map[chan check.Event]struct{})
	a.table.Store(&table{})
	return a
}

// Run finds the command of a request and runs it. The error of a command that
// is not loaded is an *UnknownCommandError; that of a request beyond Config.Runs
// matches check.ErrBusy, and that of one beyond Request.Allowed check.ErrNotAllowed.
//
// The Agent and the subscribers of its events keep the request and the result;
// nobody may write to them from then on.
func (a *Agent) Run(ctx context.Context, req check.Request) (check.Result, error) {
	e := a.RunScheduled(ctx, req, nil)
	if e.Err != nil {
		return check.Result{Usage: e.Result.Usage}, e.Err
	}
	return e.Result, nil
}

// Running is how many requests are being run. A command that another one runs
// does not count.
func (a *Agent) Running() int { return int(min(a.running.Load(), int64(a.config.Runs))) }

// RunScheduled is Run for a scheduler: judge says how the check stands after
// the run. The event of the run is returned as its subscribers see it, but for
// the number. A nil judge leaves the standing out.
func (a *Agent) RunScheduled(ctx context.Context, req check.Request, judge func(check.Event) check.Standing) check.Event {
	began := time.Now()
	if caused(ctx) {
		req.Origin = check.Subscriber
	}
	e := a.answer(ctx, req)
	e.Time = time.Now()
	e.Request.Input, e.Request.Allowed = nil, nil
	e.Result.Usage.Wall = cmp.Or(e.Result.Usage.Wall, e.Time.Sub(began))
	if judge != nil {
		standing := judge(e)
		e.Standing = &standing
	}
	a.events.emit(e)
	return e
}

// answer runs a request and makes the event of that, without its time.
func (a *Agent) answer(ctx context.Context, req check.Request) check.Event {
	e := check.Event{Request: req}
	if e.Err = checkSize(req); e.Err != nil {
		e.Request = check.Request{Command: req.Command[:min(len(req.Command), MaxCommand)], Origin: req.Origin}
	} else {
		e.Module, e.Result, e.Err = a.dispatch(ctx, req)
	}
	if e.Err != nil {
		usage := e.Result.Usage
		e.Result = check.Unknown(e.Err)
		e.Result.Usage = usage
	}
	return e
}

// Ping goes the way of a request through the dispatcher, to no command, and leaves
// no event. It returns when requests are answered: from its silence a watchdog
// learns that they are not.
func (a *Agent) Ping() {
	a.answer(context.Background(), check.Request{})
	a.events.pass()
}

// checkSize refuses requests that are too large to be looked at.
func checkSize(req check.Request) error {
	size := 0
	for _, arg := range req.Args {
		size += len(arg)
	}
	switch {
	case len(req.Command) > MaxCommand:
		return fmt.Errorf("command %.40q...: longer than %d bytes, as no command is", req.Command, MaxCommand)
	case len(req.Args) > MaxArgs:
		return fmt.Errorf("command %s: %d arguments are more than %d; pass fewer", req.Command, len(req.Args), MaxArgs)
	case size > MaxArgBytes:
		return fmt.Errorf("command %s: %d bytes of arguments are more than %d; pass shorter ones", req.Command, size, MaxArgBytes)
	case len(req.Input) > MaxInput:
		return fmt.Errorf("command %s: %d bytes of standard input are more than %d; pass less", req.Command, len(req.Input), MaxInput)
	}
	return nil
}

// A chain is the commands that run for one request: the context of the last of them.
type chain struct {
	context.Context
	depth int           // commands that run one another
	calls *atomic.Int64 // commands that were run in all
	event bool          // whether an event is why the first of them runs
	own   atomic.Int64  // calls of the first one
}

// chainKey is the key of a context's chain.
type chainKey struct{}

// Value finds the chain.
func (c *chain) Value(key any) any {
	if key == (chainKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// caused tells whether an event is why a command is run, perhaps by others: what
// comes of it is told to no module, so that no event causes itself.
func caused(ctx context.Context) bool {
	c, nested := ctx.Value(chainKey{}).(*chain)
	return nested && c.event
}

// link adds a command to the chain of a context.
func link(ctx context.Context, command string, origin check.Origin) (*chain, error) {
	c := &chain{Context: ctx, depth: 1, event: origin == check.Subscriber}
	c.calls = &c.own
	if above, nested := ctx.Value(chainKey{}).(*chain); nested {
		c.depth, c.calls, c.event = above.depth+1, above.calls, above.event
	}
	switch {
	case c.depth > MaxNesting:
		return c, fmt.Errorf("command %s is not run: commands run one another %d deep already, perhaps in a circle", command, MaxNesting)
	case c.calls.Add(1) > MaxCalls:
		return c, fmt.Errorf("command %s is not run: %d commands were run for this request, which is the limit; run fewer in one check", command, MaxCalls)
	}
	return c, nil
}

// dispatch runs a request if there is room for it.
func (a *Agent) dispatch(ctx context.Context, req check.Request) (module string, _ check.Result, _ error) {
	chain, err := link(ctx, req.Command, req.Origin)
	if err != nil {
		return "", check.Result{}, err
	}
	if req.Allowed != nil && !req.Allowed(req.Command) {
		return "", check.Result{}, fmt.Errorf("command %s is not run: %w to whoever asks", req.Command, check.ErrNotAllowed)
	}
	// A nested run is part of one that has been let in: it cannot be refused
	// for want of room, nor wait for what its own parent holds.
	if chain.depth == 1 {
		defer a.running.Add(-1)
		if a.running.Add(1) > int64(a.config.Runs) {
			return "", check.Result{}, fmt.Errorf("%w: %d, which is the agent's limit; ask again later, or raise runs in config.toml", check.ErrBusy, a.config.Runs)
		}
	}
	c, err := a.command(req.Command)
	if err != nil {
		return "", check.Result{}, err
	}
	defer c.module.release()
	result, err := a.run(chain, c, req)
	return c.module.name, result, err
}

// command returns a command whose module is held, so that it stays open.
func (a *Agent) command(name string) (*command, error) {
	key := fold(name)
	for {
		t := a.table.Load()
		c := t.commands[key]
		if c == nil {
			return nil, t.unknown(name)
		}
		// A module that cannot be held left the table after it was loaded.
		if c.module.hold() {
			return c, nil
		}
	}
}

// commandsOf finds commands for the scripts of a module: its own and those of the
// modules that it requires need no grant.
func (a *Agent) commandsOf(zip *zipmod.Module) providers.Commands {
	return func(name string) (check.Runner, bool) {
		c := a.table.Load().commands[fold(name)]
		if c == nil {
			return nil, false
		}
		own := slices.ContainsFunc(append([]string{zip.Name}, zip.Requires...), func(module string) bool { return fold(module) == fold(c.module.name) })
		return a, own
	}
}

// run runs a command. A panic is its error.
func (a *Agent) run(ctx context.Context, c *command, req check.Request) (result check.Result, err error) {
	if c.module.builtin != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.config.Time, a.late)
		defer cancel()
	}
	defer func() {
		if v := recover(); v != nil {
			a.config.Log.Error("a command panicked", "command", req.Command, "module", c.module.name, "panic", v, "stack", string(debug.Stack()))
			result, err = check.Result{}, fmt.Errorf("command %s panicked: %v; this is a defect of module %s, please report it with the log", req.Command, v, c.module.name)
		}
	}()
	return c.runner.Run(ctx, req)
}

// Subscribe returns the events from now on, through a channel that holds up to
// buffer of them, at least one. An event that finds it full is lost to this
// subscriber. cancel ends the subscription and closes the channel; so does
// Close.
func (a *Agent) Subscribe(buffer int) (_ <-chan check.Event, cancel func()) {
	return a.events.subscribe(buffer)
}

// Close unloads every module, waits until the runs in flight have ended, and
// ends the subscriptions. Requests are errors from then on.
func (a *Agent) Close() error {
	a.changing.Lock()
	old := a.table.Swap(&table{closed: true})
	a.changing.Unlock()
	var errs []error
	for _, m := range old.modules {
		a.follow(nil, m.subscribers)
	}
	for _, m := range old.dependentsFirst() {
		m.release()
		errs = append(errs, m.wait(context.Background()))
	}
	a.telling.Wait()
	a.events.close()
	return errors.Join(errs...)
}

// fold is the form of a name that ignores case.
func fold(name string) string { return strings.ToLower(name) }
