package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/gorand"
	"github.com/wasmagent/wasmagent/runtime/internal/memory"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A beginning is a state of a program that its runs begin from.
type beginning struct {
	image   *memory.Image
	globals []uint64 // of origin.Globals; nil while they are what the program declares
	init    []string // what is to be called before the entry
	random  []int    // where the memory holds random generators of Go's runtime
}

// An origin is the beginnings of one program.
type origin struct {
	prepare.Program // but for its Wasm and its Image
	users           atomic.Int64
	first           beginning
	snapshot        atomic.Pointer[beginning] // the program as it is once it is initialised
	making          sync.Mutex                // held by the run that makes the snapshot
	fresh           string                    // why there can be none; under making
	room            *atomic.Int64             // bytes that the snapshots of the engine may still hold
}

// maxSnapshots is the most that the snapshots of an engine hold, in bytes: a program of
// a few bytes can fill its memory while it is initialised. One of a Go check holds 4 MiB.
const maxSnapshots = 1 << 30

// newOrigin makes the memory of a program before its first instruction, for one user.
func (e *Engine) newOrigin(p prepare.Program) (*origin, error) {
	image, err := memory.NewImage(p.Memory, func(memory []byte) {
		for _, part := range p.Image {
			copy(memory[part.Offset:], part.Bytes)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("no memory for what the program holds at its start: %w", err)
	}
	p.Wasm, p.Image = nil, nil
	o := &origin{Program: p, first: beginning{image: image, init: p.Init}, fresh: p.Changes, room: &e.room}
	return o.use(), nil
}

// use keeps the images for one more who closes them.
func (o *origin) use() *origin {
	o.users.Add(1)
	return o
}

// close frees the images after the last user, each when the last run that began from it
// has ended.
func (o *origin) close() {
	if o.users.Add(-1) > 0 {
		return
	}
	_ = o.first.image.Close()
	if s := o.snapshot.Load(); s != nil && s != &o.first {
		o.room.Add(s.image.Holds())
		_ = s.image.Close()
	}
}

// beginning is what a run begins from. The first run of a program that is initialised
// makes the snapshot; others that come meanwhile initialise it for themselves.
func (o *origin) beginning(r *run, e *Engine, c *code) *beginning {
	if o.snapshot.Load() == nil && o.making.TryLock() {
		_ = o.keep(r, e, c, r.limits) // or else the run finds out what is wrong
		o.making.Unlock()
	}
	if s := o.snapshot.Load(); s != nil {
		return s
	}
	return &o.first
}

// errCommand is why a program has no snapshot that is a command.
var errCommand = errors.New("it is a command, whose initialisation is a part of each run; build it as a reactor, as wasmagent pack can (docs/abi.md)")

// keep initialises the program and keeps what came of it as the snapshot. Its error says
// why that is not there; under making.
func (o *origin) keep(ctx context.Context, e *Engine, c *code, limits policy.Limits) error {
	switch {
	case !o.Reactor:
		return errCommand
	case o.fresh != "":
		return notForAll(o.fresh)
	case o.snapshot.Load() != nil:
		return nil
	case len(o.Init) == 0:
		o.snapshot.Store(&o.first)
		return nil
	}
	s, err := e.initialized(ctx, c, limits)
	if err == nil {
		err = o.store(s)
	}
	if reason := notForAll(""); errors.As(err, &reason) && ctx.Err() == nil {
		o.fresh = string(reason)
	}
	return err
}

// store keeps a snapshot, if there is room for it.
func (o *origin) store(s *beginning) error {
	if size := s.image.Holds(); o.room.Add(-size) < 0 {
		o.room.Add(size)
		_ = s.image.Close()
		return notForAll("the snapshots of other programs leave no memory for its own")
	}
	o.snapshot.Store(s)
	return nil
}

// initialized is a program after its initialisation, by a run that is given nothing.
func (e *Engine) initialized(ctx context.Context, c *code, limits policy.Limits) (*beginning, error) {
	r := e.newRun(ctx, Guest{Args: c.origin.Entry}, limits)
	defer r.files.Close()
	r.initial = &initialization{shallow: c.waits}
	in, err := e.newInstance(ctx, c, &c.origin.first, limits.Memory)
	if err != nil {
		return nil, err
	}
	defer in.close()
	r.enter(in)
	if err := r.begin(); err != nil {
		return nil, r.initial.reason(err)
	}
	defer in.memory.Discard() // kept reads all of it
	return r.initial.kept(in)
}

// An initialization watches what a program asks for while it is initialised for many
// runs: it may ask only for what they all would be told.
type initialization struct {
	shallow bool        // calls may be less deep than they may once the program is compiled
	seed    gorand.Seed // of Go's runtime
	seeds   int         // times that a seed was asked for
}

// innocent are the functions whose answers are the same for all runs, or mean nothing
// later on.
var innocent = map[string]bool{
	"args_get": true, "args_sizes_get": true, "environ_get": true, "environ_sizes_get": true,
	"clock_res_get": true, "clock_time_get": true, "fd_fdstat_get": true, "fd_fdstat_set_flags": true,
	"fd_prestat_dir_name": true, "fd_prestat_get": true, "random_get": true, "sched_yield": true,
}

// wallClock is the clock that tells the time of day, CLOCKID_REALTIME.
const wallClock = 0

// A notForAll is why what comes of a program's initialisation is not for every run.
type notForAll string

func (n notForAll) Error() string { return string(n) }

// permit ends an initialisation that calls a function with what no other run may see.
func (i *initialization) permit(name string, params []uint64) {
	switch {
	case !innocent[name], name == "fd_fdstat_set_flags" && uint32(params[0]) > lastStream:
		panic(stop{notForAll("its initialisation calls " + name)})
	case name == "clock_time_get" && uint32(params[0]) == wallClock:
		panic(stop{notForAll("its initialisation reads the clock")})
	case name == "random_get":
		if i.seeds++; i.seeds > 1 || uint32(params[1]) != uint32(len(i.seed)) {
			panic(stop{notForAll("its initialisation asks for randomness")})
		}
	}
}

// seeded notes the randomness that the program was given.
func (i *initialization) seeded(seed []byte) { copy(i.seed[:], seed) }

// reason is why an initialisation that failed cannot be kept.
func (i *initialization) reason(err error) error {
	switch _, err := outcome(err); {
	case err == nil:
		return notForAll("it ends while it is initialised")
	case errors.As(err, new(notForAll)):
		return err
	case i.shallow:
		return err
	default:
		return notForAll("its initialisation fails: " + err.Error())
	}
}

// kept is what came of an initialisation.
func (i *initialization) kept(in *instance) (*beginning, error) {
	linear := in.module.Memory()
	content, _ := linear.Read(0, linear.Size())
	b := &beginning{globals: in.variables()}
	stack := len(b.globals) - 1 // all of it is left, but each run is to ask for more than the first part
	b.globals[stack] = in.values[stack]
	if i.seeds > 0 {
		if b.random = gorand.Find(content, i.seed); b.random == nil {
			return nil, notForAll("its initialisation asks for randomness")
		}
	}
	var err error
	b.image, err = memory.NewImage(uint64(len(content)), func(image []byte) { copy(image, content) })
	return b, err
}
