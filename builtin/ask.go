package builtin

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/wasmagent/wasmagent/check"
)

// maxCommands is the most commands that one request starts, at whatever depth.
// How deep they go is for the dispatcher to bound.
const maxCommands = 64

// started is the key of a context's count of the commands that its request has
// started.
type started struct{}

// counting is ctx with such a count in it.
func counting(ctx context.Context) context.Context {
	if _, ok := ctx.Value(started{}).(*atomic.Int64); ok {
		return ctx
	}
	return context.WithValue(ctx, started{}, new(atomic.Int64))
}

// ask runs another command in the name of whoever gave args. It is given as its name
// and its arguments.
func (h *Helpers) ask(ctx context.Context, args arguments, words []string) (check.Result, error) {
	ctx = counting(ctx)
	if ctx.Value(started{}).(*atomic.Int64).Add(1) > maxCommands {
		return check.Result{}, fmt.Errorf("%s is not run: one request has started %d commands already", words[0], maxCommands)
	}
	return h.dispatch.Run(ctx, check.Request{Command: words[0], Args: words[1:], Origin: check.Check, Allowed: args.asker})
}

// inner is the command that a line of arguments asks for: command="..." or the
// words.
func inner(args arguments) ([]string, error) {
	given := one[[]string](args, "command")
	switch {
	case len(given) > 0 && len(args.words) > 0:
		return nil, fmt.Errorf("%q is one word too many after command=: write the command's arguments in it", args.words[0])
	case len(given) > 0:
		return given, nil
	case len(args.words) > 0:
		return args.words, nil
	}
	return nil, errors.New(`name a command: command="NAME ARGUMENT..."`)
}
