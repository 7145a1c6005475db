package runtime

import (
	"context"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	preview1 "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmagent/wasmagent/runtime/internal/errno"
	"github.com/wasmagent/wasmagent/runtime/internal/guestfs"
	"github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A hostFunction is one function that programs can import.
type hostFunction struct {
	name            string
	params, results []api.ValueType
	call            api.GoModuleFunc
}

// instantiate makes functions importable from a module of that name.
func instantiate(ctx context.Context, r wazero.Runtime, module string, functions []hostFunction) error {
	builder := r.NewHostModuleBuilder(module)
	for _, f := range functions {
		builder.NewFunctionBuilder().WithGoModuleFunction(f.call, f.params, f.results).Export(f.name)
	}
	_, err := builder.Instantiate(ctx)
	return err
}

// tickFunctions is the module that metered programs import beside WASI.
func tickFunctions() []hostFunction {
	i64 := []api.ValueType{api.ValueTypeI64}
	return []hostFunction{{prepare.TickName, i64, i64, func(ctx context.Context, _ api.Module, stack []uint64) {
		stack[0] = uint64(runOf(ctx).tick(int64(stack[0])))
	}}}
}

// wasiFunctions are the functions of WASI preview 1: wazero's and some in place of them,
// each behind a guard but the one that ends the run. fdClose is wazero's own fd_close.
func wasiFunctions() (functions []hostFunction, fdClose api.GoModuleFunc, _ error) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	module, err := preview1.NewBuilder(r).Compile(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("WASI preview 1: %w", err)
	}
	wasi := module.ExportedFunctions()
	sync := wasi["fd_datasync"].GoFunction().(api.GoModuleFunction).Call
	for name, f := range wasi {
		call := api.GoModuleFunc(f.GoFunction().(api.GoModuleFunction).Call)
		switch name {
		case "args_get":
			call = argsGet
		case "args_sizes_get":
			call = argsSizesGet
		case "random_get":
			call = randomGet
		case "fd_renumber":
			call = renumber(call, sync)
		case "poll_oneoff":
			call = pollOneoff(sync)
		}
		call = guard(name, call)
		if name == "proc_exit" {
			call = procExit
		}
		functions = append(functions, hostFunction{name, f.ParamTypes(), f.ResultTypes(), call})
	}
	return functions, wasi["fd_close"].GoFunction().(api.GoModuleFunction).Call, nil
}

// guard has a function look first whether the run is to go on, and refuse
// arguments with which wazero would use memory or time that no limit covers. It
// gives the errors their numbers that wazero has none for.
func guard(name string, call api.GoModuleFunc) api.GoModuleFunc {
	lengths := pathLengths[name]
	return func(ctx context.Context, instance api.Module, stack []uint64) {
		r := runOf(ctx)
		r.alive()
		if r.initial != nil {
			r.initial.permit(name, stack)
		}
		tried, params := r.files.Attempts(), [7]uint64{}
		copy(params[:], stack)
		if stack[0] = r.refusal(name, lengths, stack); stack[0] == 0 {
			copy(stack, params[:])
			call(ctx, instance, stack)
		}
		r.instance.note(name, params[:], stack[0] == 0)
		if finer := r.files.Errno(); stack[0] == errno.EIO {
			stack[0] = finer
		}
		if stack[0] != 0 && len(lengths) > 0 && r.files.Attempts() == tried {
			r.rejected(name, instance, lengths, params[:])
		}
	}
}

// rejected reports the paths of a call that came to nothing before the file system
// saw them.
func (r *run) rejected(name string, instance api.Module, lengths []int, params []uint64) {
	if name == "path_symlink" {
		lengths = lengths[1:] // the text of the link is no path that is tried
	}
	for _, i := range lengths {
		path, _ := instance.Memory().Read(uint32(params[i-1]), min(uint32(params[i]), guestfs.MaxPath))
		r.files.Reject(strings.TrimPrefix(name, "path_"), string(path), "no such path is possible, or no more file can be open")
	}
}

// The descriptors that an instance begins with are those of the streams and that of the
// root.
const (
	lastStream  = 2
	firstOpened = 4
)

// passing are the functions that leave nothing behind in a descriptor that they are
// called with first.
var passing = map[string]bool{
	"args_get": true, "args_sizes_get": true, "environ_get": true, "environ_sizes_get": true,
	"clock_res_get": true, "clock_time_get": true, "random_get": true, "sched_yield": true, "poll_oneoff": true,
	"fd_fdstat_get": true, "fd_filestat_get": true, "fd_prestat_dir_name": true, "fd_prestat_get": true,
	"fd_read": true, "fd_write": true,
	"path_create_directory": true, "path_filestat_get": true, "path_filestat_set_times": true, "path_link": true,
	"path_open": true, "path_readlink": true, "path_remove_directory": true, "path_rename": true,
	"path_symlink": true, "path_unlink_file": true,
}

// note is told of every call of WASI. What it changes of descriptors that are closed after
// the run does not matter.
func (in *instance) note(name string, params []uint64, success bool) {
	fd := uint32(params[0])
	switch {
	case name == "path_open" && success:
		in.opened++
	case name == "fd_renumber":
		in.marked = true
	case passing[name], fd >= firstOpened && strings.HasPrefix(name, "fd_"), fd <= lastStream && name == "fd_fdstat_set_flags":
	default:
		in.marked = true
	}
}

// The errnos of functions that are not wazero's.
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#errno
const (
	errnoBadFile      = 8
	errnoFault        = 21
	errnoInvalid      = 28
	errnoTooManyFiles = 33
	errnoNameTooLong  = 37
	errnoNotSupported = 58
)

const (
	// maxSubscriptions is the most events that a program can wait for at once.
	maxSubscriptions = 1024
	// maxListing is the most bytes of a directory's listing in one call, of which
	// wazero reads as many entries as would fit.
	maxListing = 1 << 20
)

// pathLengths are the parameters that are the length of a path, which wazero
// copies before it looks at it.
var pathLengths = map[string][]int{
	"path_create_directory":   {2},
	"path_filestat_get":       {3},
	"path_filestat_set_times": {3},
	"path_link":               {3, 6},
	"path_open":               {3},
	"path_readlink":           {2},
	"path_remove_directory":   {2},
	"path_rename":             {2, 5},
	"path_symlink":            {1, 4},
	"path_unlink_file":        {2},
}

// refusal is the errno with which a call is refused, or 0.
func (r *run) refusal(name string, lengths []int, params []uint64) uint64 {
	for _, i := range lengths {
		if uint32(params[i]) > guestfs.MaxPath {
			return errnoNameTooLong
		}
	}
	switch {
	case name == "path_open" && r.files.Full():
		return errnoTooManyFiles
	case name == "poll_oneoff" && uint32(params[2]) > maxSubscriptions:
		return errnoInvalid
	case name == "fd_readdir" && uint32(params[2]) > maxListing:
		return errnoInvalid
	case name == "fd_renumber" && uint32(params[1]) > r.lastDescriptor():
		return errnoBadFile // wazero's table of descriptors grows to the number
	}
	return 0
}

// lastDescriptor is the highest descriptor that opening files gives: there are
// the standard streams and the root beside them.
func (r *run) lastDescriptor() uint32 { return uint32(3 + r.limits.OpenFiles) }

// procExit ends the run. wazero's own would close the instance too.
func procExit(_ context.Context, _ api.Module, stack []uint64) { panic(exiting(uint32(stack[0]))) }

// renumber is fd_renumber. wazero's own closes a file that is given the number
// that it has; check is a function that only looks whether a descriptor is open.
func renumber(call, check api.GoModuleFunc) api.GoModuleFunc {
	return func(ctx context.Context, instance api.Module, stack []uint64) {
		if uint32(stack[0]) == uint32(stack[1]) {
			check(ctx, instance, stack)
			return
		}
		call(ctx, instance, stack)
	}
}

// argsGet is args_get with the arguments of the run, not of the instance.
func argsGet(ctx context.Context, instance api.Module, stack []uint64) {
	list, text, mem := uint32(stack[0]), uint32(stack[1]), instance.Memory()
	stack[0] = 0
	for _, arg := range runOf(ctx).args {
		if !mem.WriteUint32Le(list, text) || !mem.WriteString(text, arg) || !mem.WriteByte(text+uint32(len(arg)), 0) {
			stack[0] = errnoFault
			return
		}
		list, text = list+4, text+uint32(len(arg))+1
	}
}

// argsSizesGet is args_sizes_get for argsGet.
func argsSizesGet(ctx context.Context, instance api.Module, stack []uint64) {
	args, size := runOf(ctx).args, 0
	for _, arg := range args {
		size += len(arg) + 1
	}
	count, bytes, mem := uint32(stack[0]), uint32(stack[1]), instance.Memory()
	stack[0] = 0
	if !mem.WriteUint32Le(count, uint32(len(args))) || !mem.WriteUint32Le(bytes, uint32(size)) {
		stack[0] = errnoFault
	}
}

// randomGet is random_get with randomness of the run.
func randomGet(ctx context.Context, instance api.Module, stack []uint64) {
	buffer, ok := instance.Memory().Read(uint32(stack[0]), uint32(stack[1]))
	if !ok {
		stack[0] = errnoFault
		return
	}
	r := runOf(ctx)
	r.random(buffer)
	if r.initial != nil {
		r.initial.seeded(buffer)
	}
	stack[0] = 0
}
