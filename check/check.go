// Package check is the vocabulary of the agent: what can be asked (a Request),
// what is answered (a Result), who answers (a Runner) and what is told about
// it afterwards (an Event).
//
// Every script, built-in check and control command is a Runner; so is the
// dispatcher that finds them. A listener is handed one Runner and knows
// nothing else, as an http.Server is handed an http.Handler.
//
// The package also holds the two text formats that monitoring plugins share:
// plugin output with its performance data (Decode and Encode, after the
// Monitoring Plugins Development Guidelines,
// https://www.monitoring-plugins.org/doc/guidelines.html) and command lines
// (Split).
//
// It imports only the standard library. Values are plain data: they may be
// copied, and read from several goroutines as long as nobody writes.
package check

import (
	"context"
	"errors"
	"time"
)

// An Origin says who asked. It is recorded on events and never decides what a
// command may do.
type Origin string

// The origins of this version.
const (
	CommandLine Origin = "command-line" // a person or a scheduler started the binary
	OnStart     Origin = "on_start"     // a module's on_start line
	Check       Origin = "check"        // another command, such as check_multi
	Schedule    Origin = "schedule"     // the agent's own scheduler
	Subscriber  Origin = "event"        // an event that a module subscribes to
	NRPE        Origin = "nrpe"         // an NRPE client
	REST        Origin = "rest"         // a client of the REST API
	Probe       Origin = "probe"        // a Prometheus server at /probe
)

// A Request asks for one command to be run.
type Request struct {
	// Command is a name in the dispatcher's table. Names ignore case.
	Command string
	// Args are the caller's arguments, one per element, never parsed by a shell.
	Args []string
	// Input is what a script reads from its standard input. It is not kept in
	// events.
	Input []byte
	// Origin is who asked.
	Origin Origin
	// Allowed tells of a command whether who asks may have it run; nil is every one. A
	// command that runs others in the name of its caller, as check_multi does, hands it
	// on; one that runs them in its own, as an alias does, does not. It is not kept in
	// events.
	Allowed func(command string) bool
}

// A Result is the answer to a Request. The zero Result is UNKNOWN.
type Result struct {
	// State is the plugin state.
	State State
	// Text is the first line of the plugin's output, without performance data.
	Text string
	// Long is the remaining output, lines separated by "\n".
	Long string
	// Perf is the performance data in the order in which it was printed.
	Perf []Perf
	// Usage is what the run took.
	Usage Usage
}

// Usage is what one run of a command took. A zero field was not measured.
type Usage struct {
	// Wall is the elapsed time of the run.
	Wall time.Duration
	// Instructions is the metered count of WebAssembly instructions; the same
	// run counts the same on every machine. Zero outside the sandbox.
	Instructions uint64
	// Memory is the peak size of the guest's linear memory in bytes.
	Memory int64
	// Output is the number of bytes that the script wrote to standard output
	// and standard error together.
	Output int64
	// ExitStatus is the script's raw exit status, nil where there was none: a
	// built-in check, or a script that was stopped.
	ExitStatus *int64
}

// A Runner answers requests. It must be safe for concurrent use and must
// return soon after ctx ends.
//
// An error means that the check could not be run; the Result then carries no
// information but its Usage. What a check that did run found, UNKNOWN
// included, is a Result and no error.
type Runner interface {
	Run(ctx context.Context, req Request) (Result, error)
}

// The errors of a dispatcher that a listener may answer in its own way.
// errors.Is matches them.
var (
	// ErrUnknownCommand says that no command has the name that was asked for.
	ErrUnknownCommand = errors.New("no such command")
	// ErrBusy says that there is no room for the run; later there may be.
	ErrBusy = errors.New("too many checks are running")
	// ErrNotAllowed says that who asks may not have the command run: Request.Allowed.
	ErrNotAllowed = errors.New("not allowed")
)

// RunnerFunc lets a function be a Runner.
type RunnerFunc func(ctx context.Context, req Request) (Result, error)

// Run calls f.
func (f RunnerFunc) Run(ctx context.Context, req Request) (Result, error) { return f(ctx, req) }

// Unknown is the Result of a check that could not be run: UNKNOWN, with the
// error as its text. It is how an edge (the command line, a listener) answers
// for a Runner's error.
func Unknown(err error) Result { return Result{State: StateUnknown, Text: err.Error()} }
