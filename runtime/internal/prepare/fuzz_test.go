package prepare_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// FuzzPrepare wants no panic on any bytes, and that wazero accepts whatever it
// accepted before.
func FuzzPrepare(f *testing.F) {
	for _, wasm := range programs() {
		f.Add(wasm)
	}
	for _, row := range refusals() {
		if len(row.wasm) < 1<<16 {
			f.Add(row.wasm)
		}
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		p, err := Prepare(wasm, policy.Defaults)
		if err != nil {
			return
		}
		r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
		defer r.Close(context.Background())
		if _, err := r.CompileModule(t.Context(), wasm); err != nil {
			return
		}
		if _, err := r.CompileModule(t.Context(), p.Wasm); err != nil {
			t.Errorf("wazero accepted %x, and not what became of it, %x: %v", wasm, p.Wasm, err)
		}
	})
}
