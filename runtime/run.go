package runtime

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
	"github.com/wasmagent/wasmagent/runtime/internal/memory"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// slice is how many instructions a program may execute before it has to come back
// to Go, which looks whether the run is to go on, and lets the garbage collector
// have its way: a fraction of a millisecond when compiled.
const slice = 1 << 18

// A run is one execution of a program. It belongs to one goroutine.
type run struct {
	ctx            context.Context
	limits         policy.Limits
	memory         *memory.Memory
	files          *guestfs.Mount
	stdout, stderr stream
	handed         uint64     // the instructions handed out so far
	instance       api.Module // nil until the program ticks
}

func (e *Engine) newRun(ctx context.Context, guest Guest, limits policy.Limits) *run {
	r := &run{ctx: ctx, limits: limits, memory: e.memory.Memory(int64(limits.Memory), nil)}
	r.stdout = stream{run: r, name: "standard output"}
	r.stderr = stream{run: r, name: "standard error"}
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
	warned := map[string]bool{}
	return func(path string, err error) {
		if reason := err.Error(); len(warned) < maxWarnings && !warned[reason] {
			warned[reason] = true
			log.Warn("a granted path could not be opened", "path", path, "error", err)
		}
	}
}

// runKey is the key of the run in the context of host functions.
type runKey struct{}

func runOf(ctx context.Context) *run { return ctx.Value(runKey{}).(*run) }

// execute runs a program to its end. Whatever panics in wazero outside of the
// program, such as the allocation of its memory, is an error too.
func (r *run) execute(c *code, guest Guest) (status int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.panicked(p)
		}
	}()
	if r.ctx.Err() != nil {
		return 0, ended(r.ctx)
	}
	ctx := experimental.WithMemoryAllocator(r.ctx, r.memory)
	ctx = context.WithValue(ctx, runKey{}, r)
	instance, err := c.runtime.InstantiateModule(ctx, c.module, r.config(guest))
	if err != nil {
		return outcome(err)
	}
	defer instance.Close(context.WithoutCancel(ctx))
	for _, part := range c.program.Image {
		instance.Memory().Write(uint32(part.Offset), part.Bytes)
	}
	for _, name := range c.program.Init {
		if _, err := instance.ExportedFunction(name).Call(ctx); err != nil {
			return outcome(err)
		}
	}
	results, err := instance.ExportedFunction(c.program.Entry).Call(ctx)
	if err == nil && len(results) > 0 {
		return int64(uint32(results[0])), nil
	}
	return outcome(err)
}

func (r *run) panicked(p any) error {
	if err, ok := p.(error); ok && errors.As(err, new(stop)) {
		_, err := outcome(err)
		return err
	}
	if err := r.memory.Err(); err != nil {
		return fmt.Errorf("the program cannot have the memory that it starts with: %w", err)
	}
	return fmt.Errorf("the engine failed: %v", p)
}

// config is all that the program gets from outside: no environment.
func (r *run) config(guest Guest) wazero.ModuleConfig {
	files := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(r.files, "/")
	return wazero.NewModuleConfig().
		WithName("").         // else a second instance would clash with the first
		WithStartFunctions(). // else the instance could not be asked for its fuel
		WithArgs(guest.Args...).
		WithStdin(bytes.NewReader(guest.Input)).
		WithStdout(&r.stdout).
		WithStderr(&r.stderr).
		WithFSConfig(files).
		WithSysWalltime().
		WithSysNanotime().
		WithRandSource((*random)(r))
}

// alive stops the run if its context is done. Every host function calls it first.
func (r *run) alive() {
	if r.ctx.Err() != nil {
		panic(stop{ended(r.ctx)})
	}
}

// tick is called by the program when its fuel is spent, and returns new fuel: always as
// much, for a debt that adds up would overflow one day.
func (r *run) tick(instance api.Module, left int64) int64 {
	if left == prepare.StackExhausted {
		panic(stop{stackExhausted(r.limits.Stack)})
	}
	r.instance = instance
	r.alive()
	r.handed += uint64(slice - left)
	return slice
}

// instructions is what the program has executed.
func (r *run) instructions() uint64 {
	if r.instance == nil {
		return 0
	}
	left := int64(r.instance.ExportedGlobal(prepare.FuelExport).Get())
	return r.handed - uint64(left)
}

func (r *run) output() Output {
	out := Output{Stdout: r.stdout.data, Stderr: r.stderr.data}
	out.Usage = check.Usage{
		Instructions: r.instructions(),
		Memory:       r.memory.Peak(),
		Output:       int64(len(out.Stdout) + len(out.Stderr)),
	}
	return out
}

// A stream collects what a run writes to its standard output or error.
type stream struct {
	run  *run
	name string
	data []byte
}

// Write keeps p, and stops the run when that is more than its limit.
func (s *stream) Write(p []byte) (int, error) {
	s.run.alive()
	limit := s.run.limits.Output
	room := int(limit) - len(s.data)
	s.data = append(s.data, p[:min(room, len(p))]...)
	if len(p) > room {
		panic(stop{tooMuchOutput(s.name, limit)})
	}
	return len(p), nil
}

// random is a run's source of randomness.
type random run

// maxRandom is the most random bytes between two looks at the run's context.
const maxRandom = 64 << 10

// Read fills a part of p with random bytes.
func (r *random) Read(p []byte) (int, error) {
	(*run)(r).alive()
	return rand.Read(p[:min(len(p), maxRandom)])
}
