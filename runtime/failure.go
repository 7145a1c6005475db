package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goruntime "runtime"

	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmagent/wasmagent/policy"
)

// A Trap is the error of a program that broke a rule of WebAssembly, such as
// reading outside of its memory.
type Trap struct {
	// Reason says which, in WebAssembly's own words.
	Reason string
	// Stack names the functions that were being executed, one a line, the last
	// first, as far as the program names them; at most 4 KiB.
	Stack string
}

// Error is one line without the stack.
func (t *Trap) Error() string {
	if hint := hints[t.Reason]; hint != "" {
		return "trapped: " + t.Reason + ": " + hint
	}
	return "trapped: " + t.Reason
}

// hints say what stands behind the reasons that their words leave open.
var hints = map[string]string{
	"unreachable":          "the program gave up, as a panic, an abort or a failed assertion does",
	"invalid table access": "a call through a pointer that points to no function",
	"stack overflow":       "too many calls within one another",
}

// maxStack is the longest Trap.Stack in bytes.
const maxStack = 4 << 10

// newTrap reads wazero's error, whose first line has the reason and whose others
// the stack.
func newTrap(err error) *Trap {
	reason, stack, _ := strings.Cut(err.Error(), "\n")
	if _, after, found := strings.Cut(reason, "wasm error: "); found {
		reason = after
	}
	if errors.As(err, new(goruntime.Error)) { // in wazero, for arguments that it did not expect
		reason = "a function of WASI failed: " + reason
	}
	stack = strings.TrimPrefix(stack, "wasm stack trace:\n")
	return &Trap{
		Reason: strings.TrimSuffix(reason, " (recovered by wazero)"),
		Stack:  strings.ReplaceAll(stack[:min(len(stack), maxStack)], "\t", ""),
	}
}

// A stop ends a run from within a host function, by a panic that wazero turns
// into an error.
type stop struct{ err error }

func (s stop) Error() string { return s.err.Error() }

// An exit ends a run as the program wishes, with that status.
type exit uint32

func (e exit) Error() string { return fmt.Sprintf("exit status %d", uint32(e)) }

// exiting is what ends a run with a status: wazero's own error, which it hands on as it is,
// but for the two numbers that it takes for the end of a context.
func exiting(status uint32) error {
	if status == sys.ExitCodeContextCanceled || status == sys.ExitCodeDeadlineExceeded {
		return exit(status)
	}
	return sys.NewExitError(status)
}

// outcome is what the error of a call into a program means: an exit status, or
// why there is none.
func outcome(err error) (status int64, _ error) {
	if e, ok := err.(*sys.ExitError); ok {
		return int64(e.ExitCode()), nil
	}
	var e exit
	var s stop
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &e):
		return int64(e), nil
	case errors.As(err, &s):
		return 0, s.err
	}
	return 0, newTrap(err)
}

// timeLimit is why a run is stopped whose time is over.
type timeLimit time.Duration

func (t timeLimit) Error() string {
	return fmt.Sprintf("stopped after %v, its time limit", time.Duration(t))
}

func (timeLimit) Unwrap() error { return context.DeadlineExceeded }

// ended is why a run is stopped whose context is done. It matches the context's
// error as well as its cause.
func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	switch {
	case errors.As(cause, new(timeLimit)):
		return cause
	case errors.Is(cause, ctx.Err()):
		return fmt.Errorf("stopped: %w", cause)
	}
	return fmt.Errorf("stopped: %w (%w)", cause, ctx.Err())
}

func tooMuchOutput(stream string, limit policy.Bytes) error {
	return fmt.Errorf("printed more than %v to %s, its output limit", limit, stream)
}

func stackExhausted(limit policy.Bytes) error {
	return fmt.Errorf("call stack exhausted: the calls within one another need more than %v, its stack limit", limit)
}
