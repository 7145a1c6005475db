package runtime

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"

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

// An instance is a program in memory, for one run.
type instance struct {
	*origin
	from   *beginning
	module api.Module // nil until it is made
	memory *memory.Memory
	run    *run             // what it is for; nil until that is known
	files  struct{ sys.FS } // those of the run
}

// newInstance makes an instance of a program at a beginning.
func (e *Engine) newInstance(ctx context.Context, c *code, from *beginning, limit policy.Bytes) (_ *instance, err error) {
	in := &instance{origin: c.origin, from: from, memory: e.memory.Memory(int64(limit), from.image)}
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
	return in, in.set()
}

func (in *instance) panicked(p any) error {
	if err := in.memory.Err(); err != nil {
		return fmt.Errorf("the program cannot have the memory that it starts with: %w", err)
	}
	return fmt.Errorf("the engine failed: %v", p)
}

// config is all that a program gets from outside: no environment. Its arguments and its
// randomness it gets from its run.
func (in *instance) config() wazero.ModuleConfig {
	files := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(&in.files, "/")
	return wazero.NewModuleConfig().
		WithName("").         // else a second instance would clash with the first
		WithStartFunctions(). // else nothing could be set before they are called
		WithStdin(input{in}).
		WithStdout(output{in, stdout}).
		WithStderr(output{in, stderr}).
		WithFSConfig(files).
		WithSysWalltime().
		WithSysNanotime()
}

// set gives the instance what its beginning has beside the bytes of its memory.
func (in *instance) set() error {
	linear := in.module.Memory()
	if more := in.from.image.Size() - uint64(linear.Size()); more > 0 {
		if _, ok := linear.Grow(uint32(more / pageSize)); !ok {
			return fmt.Errorf("the program cannot have the memory that it starts with: %w", in.memory.Err())
		}
	}
	for i, value := range in.from.globals {
		in.module.ExportedGlobal(in.Globals[i]).(api.MutableGlobal).Set(value)
	}
	for _, at := range in.from.random {
		var seed gorand.Seed
		_, _ = rand.Read(seed[:]) // which never fails
		linear.Write(uint32(at), gorand.New(seed))
	}
	return nil
}

// pageSize is the size of a page of linear memory in bytes.
const pageSize = 64 << 10

// globals are the values of what a beginning has to set.
func (in *instance) globals() []uint64 {
	values := make([]uint64, len(in.Globals))
	for i, name := range in.Globals {
		values[i] = in.module.ExportedGlobal(name).Get()
	}
	return values
}

// fuel is how many instructions the program may still execute before it ticks.
func (in *instance) fuel() int64 { return int64(in.module.ExportedGlobal(prepare.FuelExport).Get()) }

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
