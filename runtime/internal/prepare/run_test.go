package prepare_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// engines are the two ways to run a program. Where there is no compiler for the
// processor both interpret.
var engines = map[string]func() wazero.RuntimeConfig{
	"compiled":    wazero.NewRuntimeConfig,
	"interpreted": wazero.NewRuntimeConfigInterpreter,
}

// errStopped is what a meter stops a program with.
var (
	errStopped        = errors.New("stopped")
	errStackExhausted = errors.New("stack exhausted")
)

// A meter is the tick function of one run: it hands out fuel in slices, and stops
// the run at the first tick after the allowance.
type meter struct {
	slice, allowance int64
	granted, left    int64
	stack            int64 // bytes that can be had once
	ticks            int
}

// count is the fuel spent.
func (m *meter) count() int64 { return m.granted - m.left }

func (m *meter) tick(_ context.Context, stack []uint64) {
	left := int64(stack[0])
	m.ticks++
	if left == math.MinInt64 {
		if m.stack == 0 {
			panic(errStackExhausted)
		}
		stack[0], m.stack = uint64(m.stack), 0
		return
	}
	m.left = left
	if m.count() >= m.allowance {
		panic(errStopped)
	}
	for m.left < 0 {
		m.left += m.slice
		m.granted += m.slice
	}
	stack[0] = uint64(m.left)
}

// A result is how a run ended.
type result struct {
	output string
	status uint32
	err    error
}

// A machine is a wazero runtime with what programs import.
type machine struct {
	wazero.Runtime
	meter meter
	files fs.FS    // at "/", if any
	args  []string // after the program's name
}

func newMachine(t testing.TB, config wazero.RuntimeConfig) *machine {
	t.Helper()
	m := &machine{
		Runtime: wazero.NewRuntimeWithConfig(t.Context(), config),
		meter:   meter{slice: 10_000, allowance: math.MaxInt64 / 2},
		args:    []string{"an argument"},
	}
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(t.Context(), m)
	i64 := []api.ValueType{api.ValueTypeI64}
	_, err := m.NewHostModuleBuilder(TickModule).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(m.meter.tick), i64, i64).Export(TickName).Instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run runs a command as it was built.
func (m *machine) run(t testing.TB, wasm []byte) result {
	t.Helper()
	return m.execute(t, Program{Wasm: wasm, Entry: []string{"_start"}})
}

// execute runs a program once and counts what it spent.
func (m *machine) execute(t testing.TB, p Program) result {
	t.Helper()
	var out bytes.Buffer
	compiled, err := m.CompileModule(t.Context(), p.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer compiled.Close(context.Background())
	config := wazero.NewModuleConfig().WithName("").WithArgs(append([]string{"guest"}, m.args...)...).WithStdout(&out).WithStartFunctions()
	if m.files != nil {
		config = config.WithFSConfig(wazero.NewFSConfig().WithFSMount(m.files, "/"))
	}
	module, err := m.InstantiateModule(t.Context(), compiled, config)
	var status []uint64
	m.meter.stack = p.Stack
	if err == nil {
		for _, part := range p.Image {
			if !module.Memory().Write(uint32(part.Offset), part.Bytes) {
				t.Fatalf("no memory for %d bytes at %d", len(part.Bytes), part.Offset)
			}
		}
		for _, name := range slices.Concat(p.Init, p.Entry) {
			if err == nil {
				status, err = module.ExportedFunction(name).Call(t.Context())
			}
		}
		if fuel := module.ExportedGlobal(FuelExport); fuel != nil {
			m.meter.left = int64(fuel.Get())
		}
		_ = module.Close(context.Background())
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return result{out.String(), exit.ExitCode(), nil}
	}
	if len(status) > 0 {
		return result{out.String(), uint32(status[0]), err}
	}
	return result{out.String(), 0, err}
}

func prepared(t testing.TB, wasm []byte, limits policy.Limits) Program {
	t.Helper()
	p, err := Prepare(wasm, limits.WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return p
}
