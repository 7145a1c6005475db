package runtime

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/gorand"
	"github.com/wasmagent/wasmagent/runtime/internal/memory"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// An instance is a program in memory, for one run at a time. After a run it can be made
// what it was before it, if nothing else of it can have changed than what an instance
// has restored: its memory, its variables and the files that it opened.
type instance struct {
	*origin
	from    *beginning
	limit   policy.Bytes // of its memory
	module  api.Module   // nil until it is made
	memory  *memory.Memory
	size    uint32 // of its memory at its beginning, in bytes
	fuel    api.MutableGlobal
	globals []api.MutableGlobal // origin.Globals
	values  []uint64            // of the globals at its beginning
	entry   []api.Function      // origin.Entry

	run    *run    // that it is for; nil while it waits
	files  preopen // those of the run
	opened int     // descriptors that the run may have opened
	marked bool    // the run may have changed a descriptor that it began with
	deep   bool    // the run needed more stack than the first
	used   bool    // it has to be restored before it is used again
}

// newInstance makes an instance of a program at a beginning.
func (e *Engine) newInstance(ctx context.Context, c *code, from *beginning, limit policy.Bytes) (_ *instance, err error) {
	in := &instance{origin: c.origin, from: from, limit: limit, memory: e.memory.Memory(int64(limit), from.image)}
	defer func() {
		if p := recover(); p != nil { // as wazero does without the memory that a program starts with
			err = in.panicked(p)
		}
		if err != nil {
			in.close()
		}
	}()
	in.module, err = c.runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, in.memory), c.module, in.config())
	if err != nil {
		_, err = outcome(err)
		return nil, err
	}
	return in, in.begin()
}

func (in *instance) panicked(p any) error {
	if err := in.memory.Err(); err != nil {
		return noMemory(err)
	}
	return fmt.Errorf("the engine failed: %v", p)
}

func noMemory(err error) error {
	return fmt.Errorf("the program cannot have the memory that it starts with: %w", err)
}

// noConfig is what is the same of all instances: no environment, no name, for two instances
// of one name would clash, and nothing that is called before the instance is set.
var noConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions().WithSysWalltime().WithSysNanotime().
	WithRandSource(rand.Reader) // else wazero would make one for each instance, which takes longer than many runs

// config is all that a program gets from outside. Its arguments and its randomness it gets
// from its run.
func (in *instance) config() wazero.ModuleConfig {
	return noConfig.
		WithStdin(input{in}).
		WithStdout(output{in, stdout}).
		WithStderr(output{in, stderr}).
		WithFSConfig(wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(&in.files, "/"))
}

// begin brings a new instance to its beginning.
func (in *instance) begin() error {
	linear := in.module.Memory()
	if more := in.from.image.Size() - uint64(linear.Size()); more > 0 {
		if _, ok := linear.Grow(uint32(more / pageSize)); !ok {
			return noMemory(in.memory.Err())
		}
	}
	in.size = linear.Size()
	in.fuel = in.module.ExportedGlobal(prepare.FuelExport).(api.MutableGlobal)
	for _, name := range in.Globals {
		in.globals = append(in.globals, in.module.ExportedGlobal(name).(api.MutableGlobal))
	}
	if in.values = in.from.globals; in.values == nil {
		in.values = in.variables()
	}
	in.set()
	return nil
}

// pageSize is the size of a page of linear memory in bytes.
const pageSize = 64 << 10

// set gives the instance the variables that it begins with, and randomness of its own. The
// engine keeps a stack with each function, which is to stay small: see leave.
func (in *instance) set() {
	if in.entry == nil {
		for _, name := range in.Entry {
			in.entry = append(in.entry, in.module.ExportedFunction(name))
		}
	}
	in.fuel.Set(0)
	for i, value := range in.values {
		in.globals[i].Set(value)
	}
	for _, at := range in.from.random {
		var seed gorand.Seed
		_, _ = rand.Read(seed[:]) // which never fails
		in.module.Memory().Write(uint32(at), gorand.New(seed))
	}
}

// variables are the values that the variables have.
func (in *instance) variables() []uint64 {
	values := make([]uint64, len(in.globals))
	for i, g := range in.globals {
		values[i] = g.Get()
	}
	return values
}

// left is how many instructions the program may still execute before it ticks.
func (in *instance) left() int64 { return int64(in.fuel.Get()) }

// leave closes the files that the run of the instance opened, and forgets the run. It tells
// whether the instance can be restored.
func (in *instance) leave(fdClose api.GoModuleFunc) bool {
	if in.Changes != "" || in.marked || in.module.Memory().Size() != in.size {
		return false
	}
	last := firstOpened + min(in.opened, in.run.limits.OpenFiles+1)
	for fd := firstOpened; fd < last; fd++ {
		result := []uint64{uint64(fd)}
		if fdClose(in.run, in.module, result); result[0] != 0 && result[0] != errnoBadFile {
			return false
		}
	}
	in.run, in.opened = nil, 0
	in.files.leave()
	if in.deep {
		in.entry, in.deep = nil, false
	}
	return true
}

// restore makes the instance what it was at its beginning, unless it is that already.
func (in *instance) restore() error {
	if !in.used {
		return nil
	}
	if err := in.memory.Restore(); err != nil {
		return err
	}
	in.set()
	in.used = false
	return nil
}

// close frees the instance.
func (in *instance) close() {
	if in.module != nil {
		_ = in.module.Close(context.Background())
	}
	in.memory.Free()
}

// An input is the standard input of an instance.
type input struct{ *instance }

func (i input) Read(p []byte) (int, error) {
	n := copy(p, i.run.input)
	i.run.input = i.run.input[n:]
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// An output is the standard output or error of an instance.
type output struct {
	*instance
	stream int
}

// Write keeps p, and stops the run when that is more than its limit.
func (o output) Write(p []byte) (int, error) { return o.run.write(o.stream, p) }

// A preopen is the file system of an instance: that of its run.
type preopen struct {
	sys.FS
	root *directory // that the engine opened, for all runs; nil before it did
}

// A directory is the root of the run's file system.
type directory struct{ sys.File }

// enter gives it the file system of a run.
func (p *preopen) enter(fs sys.FS) {
	if p.FS = fs; p.root != nil {
		p.root.File, _ = fs.OpenFile(rootName, sys.O_RDONLY, 0) // which is always there
	}
}

// leave gives it the file system of no run.
func (p *preopen) leave() {
	if p.FS = (sys.UnimplementedFS{}); p.root != nil {
		p.root.File = sys.UnimplementedFile{}
	}
}

// rootName is what the engine opens before a program can open anything.
const rootName = "."

// OpenFile opens a file of the run.
func (p *preopen) OpenFile(path string, flag sys.Oflag, perm fs.FileMode) (sys.File, sys.Errno) {
	file, errno := p.FS.OpenFile(path, flag, perm)
	if path == rootName && p.root == nil && errno == 0 {
		p.root = &directory{file}
		return p.root, 0
	}
	return file, errno
}
