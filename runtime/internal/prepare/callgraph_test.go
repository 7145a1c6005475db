package prepare

import (
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
)

func TestOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		graph  callGraph
		once   []bool
		weight uint64 // where the nth node weighs 1<<n
	}{
		{"alone", callGraph{{}}, []bool{true}, 1},
		{"itself", callGraph{{0}}, []bool{false}, 0},
		{"chain", callGraph{{1}, {2}, {}}, []bool{true, true, true}, 7},
		{"two ways", callGraph{{1, 2}, {3}, {3}, {}}, []bool{true, true, true, true}, 1 + 4 + 8},
		{"into a cycle", callGraph{{1}, {2}, {1}}, []bool{true, false, false}, 1},
		{"out of a cycle", callGraph{{1}, {0, 2}, {3}, {}}, []bool{false, false, true, true}, 4 + 8},
		{"into and out of a cycle", callGraph{{1}, {1, 2}, {}}, []bool{true, false, true}, 1 + 4},
		{"between cycles", callGraph{{0, 1}, {2}, {2}}, []bool{false, false, false}, 0},
		{"past a cycle", callGraph{{1, 2}, {1}, {3}, {}}, []bool{true, false, true, true}, 1 + 4 + 8},
	} {
		weights := make([]uint64, len(row.graph))
		for n := range weights {
			weights[n] = 1 << n
		}
		if once, weight := row.graph.once(weights); !slices.Equal(once, row.once) || weight != row.weight {
			t.Errorf("%s: %v, %d; want %v, %d", row.name, once, weight, row.once, row.weight)
		}
	}
}

// TestOnceWalks walks about in made-up graphs, as calls do, and wants no walk to come
// twice to what is there once at most, or to weigh more there than was said.
func TestOnceWalks(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 3))
		g, weights := make(callGraph, 2+random.IntN(20)), []uint64{}
		for n := range g {
			weights = append(weights, random.Uint64N(100))
			for range random.IntN(3) {
				g[n] = append(g[n], random.Uint32N(uint32(len(g))))
			}
			slices.Sort(g[n])
			g[n] = slices.Compact(g[n])
		}
		once, weight := g.once(weights)
		for range 100 {
			n, sum, been := random.IntN(len(g)), uint64(0), make([]bool, len(g))
			for range 100 {
				if once[n] {
					if sum += weights[n]; been[n] || sum > weight {
						t.Fatalf("%v: a walk comes to %d, again %v, and weighs %d of %d", g, n, been[n], sum, weight)
					}
				}
				been[n] = true
				if len(g[n]) == 0 {
					break
				}
				n = int(g[n][random.IntN(len(g[n]))])
			}
		}
	}
}

// TestRecurs wants every way in which a function can call itself to be seen.
func TestRecurs(t *testing.T) {
	t.Parallel()
	indirect := Code(I32Const, 0, CallIndirect, uint32(0), uint32(0))
	for _, row := range []struct {
		name  string
		code  []byte // of function 1, which _start calls
		build func(*Module)
		want  bool
	}{
		{"no", Code(Call, uint32(2)), func(*Module) {}, false},
		{"directly", Code(Call, uint32(1)), func(*Module) {}, true},
		{"through a table", indirect, func(m *Module) { m.Elements = []uint32{1} }, true},
		{"through another and a table", Code(Call, uint32(2)), func(m *Module) {
			m.Funcs[2].Code, m.Elements = indirect, []uint32{1}
		}, true},
		{"through a reference", indirect, func(m *Module) {
			m.Funcs[0].Code = Code(I32Const, 0, RefFunc, uint32(1), TableSet, uint32(0), Call, uint32(1))
		}, true},
		{"through a global", indirect, func(m *Module) {
			m.Globals = []Global{{Type: Funcref, Init: Code(RefFunc, uint32(1))}}
		}, true},
		{"a table of others", indirect, func(m *Module) { m.Elements = []uint32{2} }, false},
	} {
		c := Command(nil, Code(Call, uint32(1)))
		c.Funcs = append(c.Funcs, Func{Code: row.code}, Func{Code: Code(Nop)})
		c.Tables = []Bound{{Min: 1, Max: 1}}
		row.build(&c)
		m, err := decode(c.Bytes(), policy.Defaults)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		profiles, err := survey(m, policy.Defaults)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		kept := measureStack(m, profiles, policy.Defaults.Stack)
		if got := profiles[1].recurs; got != row.want || profiles[0].recurs || kept == 0 {
			t.Errorf("%s: recurs %v, and %d bytes for the others; want %v, and some for _start", row.name, got, kept, row.want)
		}
	}
}
