package builtin

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/wasmagent/wasmagent/check"
)

const (
	maxNesting  = 8  // commands that run within one another
	maxCommands = 64 // commands that one request starts, at whatever depth
)

// A nesting travels with the context of a request that runs other commands,
// and bounds how many those are. The count is shared by all that come from one
// request.
type nesting struct {
	depth   int
	started *atomic.Int64
}

type nestingKey struct{}

// counting is ctx with a nesting in it.
func counting(ctx context.Context) context.Context {
	if _, ok := ctx.Value(nestingKey{}).(nesting); ok {
		return ctx
	}
	return context.WithValue(ctx, nestingKey{}, nesting{started: new(atomic.Int64)})
}

// nested is ctx one level deeper, with one more command started.
func nested(ctx context.Context, command string) (context.Context, error) {
	ctx = counting(ctx)
	n := ctx.Value(nestingKey{}).(nesting)
	n.depth++
	if n.depth > maxNesting {
		return nil, fmt.Errorf("%s is not run: commands run within one another %d deep, perhaps in a circle", command, maxNesting)
	}
	if n.started.Add(1) > maxCommands {
		return nil, fmt.Errorf("%s is not run: one request has started %d commands already", command, maxCommands)
	}
	return context.WithValue(ctx, nestingKey{}, n), nil
}

// ask runs another command, given as its name and its arguments.
func (h *Helpers) ask(ctx context.Context, words []string) (check.Result, error) {
	inner, err := nested(ctx, words[0])
	if err != nil {
		return check.Result{}, err
	}
	return h.dispatch.Run(inner, check.Request{Command: words[0], Args: words[1:], Origin: check.Check})
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
