package prepare_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// FuzzPrepare wants no panic on any bytes, and that wazero accepts what became of a
// program if and only if it accepted the program: what was invalid and is not would
// name something that was added.
func FuzzPrepare(f *testing.F) {
	for _, wasm := range programs() {
		f.Add(wasm)
	}
	for _, row := range refusals() {
		if len(row.wasm) < 1<<16 {
			f.Add(row.wasm)
		}
	}
	f.Fuzz(sameVerdict)
}

// TestMutations does it with programs of which some bytes were changed.
func TestMutations(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	all := programs()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		wasm := all[name]
		if len(wasm) > 5000 {
			continue
		}
		for range 3000 {
			mutant := slices.Clone(wasm)
			for range 1 + random.IntN(3) {
				mutant[8+random.IntN(len(mutant)-8)] += byte(random.IntN(7) - 3)
			}
			sameVerdict(t, mutant)
		}
	}
}

func sameVerdict(t *testing.T, wasm []byte) {
	p, err := Prepare(wasm, policy.Defaults)
	if err != nil {
		return
	}
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(context.Background())
	_, before := r.CompileModule(t.Context(), wasm)
	if _, after := r.CompileModule(t.Context(), p.Wasm); (before == nil) != (after == nil) {
		t.Errorf("wazero said %v of %x, and %v of what became of it", before, wasm, after)
	}
}
