package prepare_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime/internal/wasmtest"
)

// programs end by themselves, in the same way however they are run.
func programs() map[string][]byte {
	return map[string][]byte{
		"print":       wasmtest.Print("hello", 2),
		"print much":  wasmtest.Print(strings.Repeat("x", 100_000), 0),
		"exit -1":     wasmtest.ExitWith(0xffffffff),
		"unreachable": wasmtest.Unreachable(),
		"fibonacci":   wasmtest.Fibonacci(15),
		"grow memory": wasmtest.GrowMemory(),
		"big body":    wasmtest.BigBody(5000),
	}
}

func TestSameResult(t *testing.T) {
	t.Parallel()
	for name, wasm := range programs() {
		var counts []int64
		for engine, config := range engines {
			config := config().WithMemoryLimitPages(64)
			want := newMachine(t, config).run(t, wasm)
			m := newMachine(t, config)
			got := m.run(t, prepared(t, wasm, policy.Limits{}))
			if got.output != want.output || got.status != want.status || (got.err == nil) != (want.err == nil) {
				t.Errorf("%s, %s: %.100v; before it was rewritten %.100v", name, engine, got, want)
			}
			counts = append(counts, m.meter.count())
		}
		if counts[0] != counts[1] || counts[0] <= 0 {
			t.Errorf("%s: counts %v; want them equal and above zero", name, counts)
		}
		t.Log(name, counts)
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	for name, wasm := range map[string][]byte{
		"spin": wasmtest.Spin(), "recurse": wasmtest.Recurse(), "fill memory": wasmtest.FillMemory(),
		"fill in bulk": wasmtest.FillBulk(), "print forever": wasmtest.PrintForever("x"),
	} {
		for engine, config := range engines {
			m := newMachine(t, config())
			m.meter.allowance = 1_000_000
			if got := m.run(t, prepared(t, wasm, policy.Limits{})); !errors.Is(got.err, errStopped) {
				t.Errorf("%s, %s: %.100v; want it stopped", name, engine, got)
			}
			t.Log(name, engine, m.meter.ticks, m.meter.count())
		}
	}
}
