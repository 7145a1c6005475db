package prepare_test

import (
	"testing"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
)

const mib = 1 << 20

// TestBulk wants memory to hold the same after large operations, which are done in
// pieces, wherever the pieces overlap.
func TestBulk(t *testing.T) {
	t.Parallel()
	for name, move := range map[string][]byte{
		"fill":                 fill(3, 0x5a, 2*mib+9),
		"fill pieces":          fill(mib, 0x5a, 2*mib),
		"fill a piece":         fill(1, 0x5a, mib),
		"fill to the end":      fill(mib-1, 0x5a, 3*mib+1),
		"fill over the end":    fill(mib, 0x5a, 3*mib+1),
		"fill round the end":   fill(-1, 0x5a, 2*mib),
		"copy up":              move(7, 0, 3*mib+5),
		"copy up much":         move(mib+1, 0, 2*mib+5),
		"copy down":            move(0, 7, 3*mib+5),
		"copy down much":       move(0, mib+1, 2*mib+5),
		"copy in place":        move(5, 5, 3*mib),
		"copy to the end":      move(mib-1, 0, 3*mib+1),
		"copy from the end":    move(0, mib-1, 3*mib+1),
		"copy over the end":    move(mib, 0, 3*mib+1),
		"copy from over there": move(0, mib, 3*mib+1),
	} {
		same(t, name, moving(move))
	}
}

// TestBulkIsCounted wants a large operation to cost what its size tells, and to look at
// the fuel on the way.
func TestBulkIsCounted(t *testing.T) {
	t.Parallel()
	for name, code := range map[string][]byte{"fill": fill(0, 1, 4*mib), "copy": move(0, 0, 4*mib), "copy up": move(1, 0, 4*mib-1)} {
		m := newMachine(t, engines["compiled"]())
		if got := m.execute(t, prepared(t, large(code), policy.Limits{})); got.err != nil || m.meter.count() < 4*mib/16 || m.meter.count() > 4*mib/16+10 || m.meter.ticks < 5 {
			t.Errorf("%s: counted %d with %d ticks, %v", name, m.meter.count(), m.meter.ticks, got.err)
		}
	}
}

func fill(to, value, size int) []byte {
	return Code(I32Const, to, I32Const, value, I32Const, size, MemoryFill, Raw(0))
}

func move(to, from, size int) []byte {
	return Code(I32Const, to, I32Const, from, I32Const, size, MemoryCopy, Raw(0), Raw(0))
}

// large is a program with 4 MiB of memory.
func large(code []byte) []byte {
	m := Command([]Import{exit}, code)
	m.Memory.Min, m.Funcs[0].Locals = 4*mib/Page, []Op{I32, I32}
	return m.Bytes()
}

// moving writes numbers all over the memory, works on it, and exits with a sum over it.
func moving(code []byte) []byte {
	step := Code(LocalGet, uint32(0), I32Const, 44, I32Add, LocalTee, uint32(0), I32Const, 4*mib-44, I32LtU, BrIf, uint32(0), End)
	return large(Code(
		Loop, Void, LocalGet, uint32(0), LocalGet, uint32(0), I32Const, 0x9e3779b, I32Mul, I32Store, uint32(0), uint32(0), step,
		code,
		I32Const, 0, LocalSet, uint32(0),
		Loop, Void,
		LocalGet, uint32(1), I32Const, 31, I32Mul, LocalGet, uint32(0), I32Load, uint32(0), uint32(0), I32Add, LocalSet, uint32(1), step,
		LocalGet, uint32(1), Call, uint32(0),
	))
}
