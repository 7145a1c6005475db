package runtime

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// slice is how many instructions a program may execute before it has to come back
// to Go, which looks whether the run is to go on, and lets the garbage collector
// have its way: a fraction of a millisecond when compiled.
const slice = 1 << 18

// A run is one execution of a program. It belongs to one goroutine, and is the context
// of the functions that the program calls.
type run struct {
	context.Context
	args     []string
	input    []byte // what is not read yet
	limits   policy.Limits
	files    *guestfs.Mount
	written  [2][]byte       // to the streams
	handed   uint64          // the instructions handed out so far
	instance *instance       // nil until the program begins
	initial  *initialization // nil unless the run is for a snapshot
}

func (e *Engine) newRun(ctx context.Context, guest Guest, limits policy.Limits) *run {
	r := &run{Context: ctx, args: guest.Args, input: guest.Input, limits: limits}
	r.files = guest.Root.Mount(guestfs.Run{
		Context:   ctx,
		Alive:     r.alive,
		OpenFiles: limits.OpenFiles + 1, // the root itself is open too
		Observe:   guest.Observe,
		Failed:    warnings(e.config.Log),
	})
	return r
}

// maxWarnings is the most warnings of one run: a program can try without end what
// fails.
const maxWarnings = 8

// warnings logs why granted paths could not be opened, each reason once.
func warnings(log *slog.Logger) func(path string, err error) {
	var warned []string
	return func(path string, err error) {
		if reason := err.Error(); len(warned) < maxWarnings && !slices.Contains(warned, reason) {
			warned = append(warned, reason)
			log.Warn("a granted path could not be opened", "path", path, "error", err)
		}
	}
}

// runKey is the key of a run in the context that it is.
type runKey struct{}

// Value is the run under runKey.
func (r *run) Value(key any) any {
	if key == (runKey{}) {
		return r
	}
	return r.Context.Value(key)
}

func runOf(ctx context.Context) *run { return ctx.Value(runKey{}).(*run) }

// execute runs a program to its end.
func (r *run) execute(e *Engine, c *code) (status int64, err error) {
	if err := r.prepare(e, c); err != nil {
		return 0, err
	}
	if err := r.begin(); err != nil {
		return outcome(err)
	}
	for _, f := range r.instance.entry {
		results, err := f.Call(r)
		if err != nil {
			return outcome(err)
		}
		if len(results) > 0 { // of a reactor
			status = int64(uint32(results[0]))
		}
	}
	return status, nil
}

// prepare gives the run an instance, one that waits for it or a new one.
func (r *run) prepare(e *Engine, c *code) (err error) {
	defer func() { // opening the root looks whether the run is to go on
		switch p := recover().(type) {
		case nil:
		case stop:
			err = p.err
		default:
			panic(p)
		}
	}()
	from := c.origin.beginning(r, e, c)
	in := e.standby.take(c, from, r.limits.Memory)
	if in == nil {
		if in, err = e.newInstance(r, c, from, r.limits.Memory); err != nil {
			return err
		}
	}
	r.enter(in)
	return nil
}

// enter gives the run an instance.
func (r *run) enter(in *instance) {
	r.instance, in.run, in.used = in, r, true
	in.files.enter(r.files)
}

// begin calls what is still to be called before the entry. What that executes is not
// counted, for another run need not do it.
func (r *run) begin() error {
	for _, name := range r.instance.from.init {
		if _, err := r.call(name); err != nil {
			return err
		}
		r.handed = uint64(r.instance.left())
	}
	return nil
}

// call calls an exported function, which Prepare has seen. Its error is wazero's.
func (r *run) call(name string) ([]uint64, error) {
	return r.instance.module.ExportedFunction(name).Call(r)
}

// alive stops the run if its context is done. Every host function calls it first.
func (r *run) alive() {
	if r.Err() != nil {
		panic(stop{ended(r)})
	}
}

// tick is called by the program when its fuel is spent, and returns new fuel: always as
// much, for a debt that adds up would overflow one day.
func (r *run) tick(left int64) int64 {
	r.alive()
	if left == prepare.StackExhausted {
		return r.deepen()
	}
	r.handed += uint64(slice - left)
	return slice
}

// deepen gives the program all of its stack.
func (r *run) deepen() int64 {
	in := r.instance
	if in.deep {
		panic(stop{stackExhausted(r.limits.Stack)})
	}
	in.deep = true
	return in.Stack
}

func (r *run) output() Output {
	out := Output{Stdout: r.written[stdout], Stderr: r.written[stderr]}
	out.Usage.Output = int64(len(out.Stdout) + len(out.Stderr))
	if in := r.instance; in != nil {
		out.Usage.Instructions = r.handed - uint64(in.left())
		out.Usage.Memory = in.memory.Peak()
	}
	return out
}

// The streams that a program writes to.
const (
	stdout = iota
	stderr
)

// write keeps what is written to a stream, and stops the run when that is more than its
// limit.
func (r *run) write(stream int, p []byte) (int, error) {
	r.alive()
	limit := r.limits.Output
	room := int(limit) - len(r.written[stream])
	r.written[stream] = append(r.written[stream], p[:min(room, len(p))]...)
	if len(p) > room {
		panic(stop{tooMuchOutput([...]string{stdout: "standard output", stderr: "standard error"}[stream], limit)})
	}
	return len(p), nil
}

// maxRandom is the most random bytes between two looks at the run's context.
const maxRandom = 64 << 10

// random fills p with random bytes.
func (r *run) random(p []byte) {
	for len(p) > 0 {
		r.alive()
		n := min(len(p), maxRandom)
		_, _ = rand.Read(p[:n]) // which never fails
		p = p[n:]
	}
}
