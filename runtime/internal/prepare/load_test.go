package prepare

import (
	"slices"
	"testing"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
)

// profileOf is the profile of a function that follows _start in a module.
func profileOf(t *testing.T, f Func) profile {
	t.Helper()
	c := Command(nil, nil)
	c.Funcs = append(c.Funcs, f)
	c.Globals = []Global{{Type: I64, Init: Code(I64Const, 0)}}
	m, err := decode(c.Bytes(), policy.Defaults)
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := survey(m, policy.Defaults)
	if err != nil {
		t.Fatal(err)
	}
	return profiles[1]
}

// repeated is the code of each of n steps.
func repeated(n int, step func(i int) []byte) []byte {
	var code []byte
	for i := range n {
		code = append(code, step(i)...)
	}
	return code
}

func load64(i int) []byte { return Code(I32Const, i*8, I64Load, uint32(3), uint32(0)) }

// TestFrame wants the estimate of a frame to have room for what lives on in a call,
// and not for ten times as much.
func TestFrame(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		function Func
		live     uint32 // bytes
	}{
		{"nothing", Func{Code: Code(Call, uint32(1))}, 48},
		{"parameters", Func{
			Type: Signature{Params: slices.Repeat([]Op{I64}, 50)},
			Code: Code(repeated(50, func(i int) []byte { return Code(LocalGet, uint32(i)) }), Call, uint32(1)),
		}, 400},
		{"locals", Func{
			Locals: slices.Repeat([]Op{I64}, 100),
			Code:   Code(repeated(100, func(i int) []byte { return Code(load64(i), LocalSet, uint32(i)) }), Call, uint32(1)),
		}, 800},
		{"vectors", Func{
			Locals: slices.Repeat([]Op{V128}, 100),
			Code:   Code(repeated(100, func(i int) []byte { return Code(V128Const, make([]byte, 16), LocalSet, uint32(i)) }), Call, uint32(1)),
		}, 1600},
		{"operands", Func{Code: Code(repeated(100, load64), Call, uint32(1), slices.Repeat([]byte{byte(Drop)}, 100))}, 800},
		{"operands of calls", Func{Code: repeated(100, func(i int) []byte { return Code(load64(i), Call, uint32(1), Drop) })}, 800},
		{"operands in dead code", Func{Code: Code(Block, Void, Br, uint32(0), repeated(50, load64), Trap, End, Call, uint32(1))}, 48},
		{"merges", Func{
			Locals: slices.Repeat([]Op{I64}, 20),
			Code: Code(repeated(50, func(int) []byte { return Code(Block, Void) }),
				repeated(20, func(i int) []byte { return Code(load64(i), LocalSet, uint32(i)) }),
				repeated(50, func(int) []byte { return Code(I32Const, 1, BrIf, uint32(0), End) }), Call, uint32(1)),
		}, 160},
	} {
		if got := profileOf(t, row.function).frame; got < row.live || got > row.live*10 {
			t.Errorf("%s: %d bytes; want %d or somewhat more", row.name, got, row.live)
		}
	}
}

func TestHot(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		code []byte
		want bool
	}{
		{"no loop", Code(Nop), false},
		{"a loop that is none", Code(Loop, Void, End), false},
		{"a loop", Code(Loop, Void, Br, uint32(0), End), true},
		{"a loop with a call", Code(Loop, Void, Call, uint32(0), Br, uint32(0), End), false},
		{"a loop in that", Code(Loop, Void, Call, uint32(0), Loop, Void, Br, uint32(0), End, Br, uint32(0), End), true},
		{"a loop around a loop with a call", Code(Loop, Void, Block, Void, Call, uint32(0), End, Br, uint32(0), End), false},
	} {
		if got := profileOf(t, Func{Code: row.code}).hot; got != row.want {
			t.Errorf("%s: hot is %v; want %v", row.name, got, row.want)
		}
	}
}

// TestWork wants nested loops around many variables to weigh far more than their
// code, and code of a usual kind not to.
func TestWork(t *testing.T) {
	t.Parallel()
	locals := slices.Repeat([]Op{I64}, 200)
	step := func(i int) []byte { return Code(LocalGet, uint32(i), I64Const, 1, I64Add, LocalSet, uint32(i)) }
	usual := repeated(200, func(i int) []byte {
		return Code(Block, Void, step(i), I32Const, 1, BrIf, uint32(0), Loop, Void, step(i), I32Const, 1, BrIf, uint32(0), End, End)
	})
	if got := profileOf(t, Func{Locals: locals, Code: usual}).work; got > uint64(len(usual)) {
		t.Errorf("usual code of %d bytes: work %d", len(usual), got)
	}
	nested := Code(repeated(200, func(int) []byte { return Code(Loop, Void) }), repeated(200, step),
		repeated(200, func(int) []byte { return Code(I32Const, 1, BrIf, uint32(0), End) }))
	if got := profileOf(t, Func{Locals: locals, Code: nested}).work; got < 5*uint64(len(nested)) {
		t.Errorf("nested code of %d bytes: work %d", len(nested), got)
	}
}
