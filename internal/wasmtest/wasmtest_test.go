package wasmtest_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
)

// interpreter is a wazero runtime with WASI preview 1.
func interpreter(t *testing.T) wazero.Runtime {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(t.Context(), r)
	return r
}

func TestGuestsAreValid(t *testing.T) {
	t.Parallel()
	for name, wasm := range map[string][]byte{
		"spin": Spin(), "recurse": Recurse(), "recurse forever": RecurseForever(), "recurse wide": RecurseWith(20),
		"fill memory": FillMemory(), "fill bulk": FillBulk(), "grow memory": GrowMemory(), "grow table": GrowTable(),
		"print forever": PrintForever("x"), "exit": ExitWith(3), "unreachable": Unreachable(), "print": Print("x", 0),
		"sleep": SleepFor(time.Hour), "big body": BigBody(10_000), "no start": NoStart(), "unknown import": UnknownImport(),
	} {
		if _, err := interpreter(t).CompileModule(t.Context(), wasm); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := interpreter(t).CompileModule(t.Context(), Component()); err == nil {
		t.Error("a component was compiled")
	}
}

func TestGuestsRun(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		wasm   []byte
		output string
		status uint32
	}{
		"print":     {Print("hello\n", 2), "hello\n", 2},
		"print -1":  {Print("bye", 0xffffffff), "bye", 0xffffffff},
		"print all": {Print(string(bytes.Repeat([]byte("x"), 200_000)), 0), string(bytes.Repeat([]byte("x"), 200_000)), 0},
		"exit":      {ExitWith(300), "", 300},
		"fibonacci": {Fibonacci(13), "", 233},
		"big body":  {BigBody(1000), "big", 0},
		"sleep":     {SleepFor(time.Nanosecond), "", 0},
	} {
		var output bytes.Buffer
		config := wazero.NewModuleConfig().WithName("").WithStdout(&output)
		_, err := interpreter(t).InstantiateWithConfig(t.Context(), row.wasm, config)
		var exit *sys.ExitError
		var status uint32
		if errors.As(err, &exit) {
			status, err = exit.ExitCode(), nil
		}
		if err != nil || status != row.status || output.String() != row.output {
			t.Errorf("%s: wrote %.20q, exit %d, error %v; want %.20q, exit %d", name, output.String(), status, err, row.output, row.status)
		}
	}
}

func TestModuleHasEverySection(t *testing.T) {
	t.Parallel()
	start := uint32(1)
	m := Module{
		Imports:  []Import{{Preview1, "proc_exit", Signature{Params: []Op{I32}}}},
		Memory:   Bound{Min: 1, Max: 2},
		Tables:   []Bound{{Min: 2, Max: 4}},
		Elements: []uint32{1, 2},
		Globals:  []Global{{Type: I32, Init: Code(I32Const, 7), Export: "g"}},
		Data:     []Data{{Offset: 4, Bytes: []byte("abc")}, {Bytes: []byte("later"), Passive: true}},
		Start:    &start,
		Funcs: []Func{
			{Code: Code(GlobalGet, uint32(0), I32Const, 1, I32Add, GlobalSet, uint32(0), DataDrop, uint32(1))},
			{Export: "_start", Locals: []Op{I32}, Code: Code(GlobalGet, uint32(0), Call, uint32(0))},
		},
	}
	_, err := interpreter(t).InstantiateWithConfig(t.Context(), m.Bytes(), wazero.NewModuleConfig())
	var exit *sys.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 8 {
		t.Errorf("ended with %v; want exit 8", err)
	}
}
