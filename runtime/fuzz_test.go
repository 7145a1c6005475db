package runtime_test

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// FuzzCalls makes a program of arbitrary calls of WASI with arbitrary arguments:
// for each a byte that chooses the function, then 4 bytes for each argument. Files,
// directories, a connection and a command are open, from 4 on. The program ends by
// itself or by its time limit, or traps, and the next one is right.
func FuzzCalls(f *testing.F) {
	r := wazero.NewRuntimeWithConfig(f.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(context.Background())
	wasi, err := wasi_snapshot_preview1.NewBuilder(r).Compile(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	functions := wasi.ExportedFunctions()
	delete(functions, "proc_exit")
	names := slices.Sorted(maps.Keys(functions))
	for i := range names {
		f.Add([]byte{byte(i), 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0})
		f.Add([]byte{byte(i), 255, 255, 255, 255, 255, 255, 255, 127, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
		f.Add([]byte{byte(i), 3, 0, 0, 0, 0, 16, 0, 0, 255, 255, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0})
	}
	e, err := runtime.NewEngine(runtime.Config{Interpret: true, Log: quiet})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { e.Close() })
	all := newReach(f, e, silent, nil)
	f.Fuzz(func(t *testing.T, input []byte) {
		s := new(script).open("files/logs", oDirectory, rightRead).open("module.json", 0, rightRead).open(all.server, 0, rightRead|rightWrite)
		s.open("state/new", oCreat, rightRead|rightWrite).open("command/status", 0, rightRead|rightWrite).open("state", oDirectory, rightRead)
		for calls := 0; len(input) > 0 && calls < 20; calls++ {
			name := names[int(input[0])%len(names)]
			input = input[1:]
			var args []any
			for _, param := range functions[name].ParamTypes() {
				var word [4]byte
				input = input[copy(word[:], input):]
				value := int(int32(binary.LittleEndian.Uint32(word[:])))
				if param == api.ValueTypeI64 {
					args = append(args, int64(value))
				} else {
					args = append(args, value)
				}
			}
			s.call(name, args...)
		}
		p, err := e.Program(t.Context(), "fuzz", s.wasm(), policy.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		guest := runtime.Guest{Args: []string{"a", "b"}, Root: all.Root, Limits: policy.Limits{Time: 50 * time.Millisecond}}
		if _, err := p.Run(t.Context(), guest); err != nil && !errors.As(err, new(*runtime.Trap)) && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
