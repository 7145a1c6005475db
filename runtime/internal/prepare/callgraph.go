package prepare

import (
	"slices"

	"github.com/wasmagent/wasmagent/policy"
)

// A callGraph is which functions of the module call which. Behind them is one more
// node, which stands for every call through a table: it calls all that is ever
// referred to.
type callGraph [][]uint32

func (m *module) callGraph(profiles []profile) callGraph {
	var referred []uint32
	for _, e := range m.elements {
		e.each(func(in instruction) { referred = m.refer(referred, in) })
	}
	for _, g := range m.globals {
		referred = m.refer(referred, g.value)
	}
	g := make(callGraph, 0, len(profiles)+1)
	for _, p := range profiles {
		g, referred = append(g, p.callees), append(referred, p.referred...)
	}
	slices.Sort(referred)
	return append(g, slices.Compact(referred))
}

// refer appends the function that the instruction makes a reference to, if that is
// defined in the module.
func (m *module) refer(referred []uint32, in instruction) []uint32 {
	if imports := uint32(len(m.imports)); in.op == opRefFunc && in.a >= imports {
		return append(referred, in.a-imports)
	}
	return referred
}

// once finds the functions that are on the call stack at most once, whatever
// happens, for no way in the graph leads from them back to them. It does not find those
// between two cycles. It returns the most that they ever weigh on the stack together.
func (g callGraph) once(weights []uint64) (once []bool, weight uint64) {
	once = make([]bool, len(g))
	callers := g.reverse()
	weight = g.peel(callers, weights, once)
	return once, weight + callers.peel(g, weights, once)
}

func (g callGraph) reverse() callGraph {
	callers := make(callGraph, len(g))
	for n, callees := range g {
		for _, callee := range callees {
			callers[callee] = append(callers[callee], uint32(n))
		}
	}
	return callers
}

// peel takes one node after the other away that leads to none of those that are
// left, and returns the weight of the heaviest way over them.
func (g callGraph) peel(back callGraph, weights []uint64, gone []bool) (heaviest uint64) {
	left := make([]int, len(g))
	ways := make([]uint64, len(g))
	var ready []uint32
	for n, next := range g {
		for _, to := range next {
			if !gone[to] {
				left[n]++
			}
		}
		if left[n] == 0 && !gone[n] {
			ready = append(ready, uint32(n))
		}
	}
	for len(ready) > 0 {
		n := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		gone[n] = true
		way := ways[n] + weights[n]
		heaviest = max(heaviest, way)
		for _, from := range back[n] {
			ways[from] = max(ways[from], way)
			if left[from]--; left[from] == 0 && !gone[from] {
				ready = append(ready, from)
			}
		}
	}
	return heaviest
}

// measureStack finds the functions that may be on the call stack more than once. It
// returns the bytes to keep of the limit for the others, whose frames are not counted
// while they run. Those that call no other take none. Where the others would take much of
// the limit, all are counted.
func measureStack(m *module, profiles []profile, limit policy.Bytes) policy.Bytes {
	weights := make([]uint64, len(profiles)+1)
	for n, p := range profiles {
		if len(p.callees) > 0 {
			weights[n] = uint64(p.frame)
		}
	}
	once, kept := m.callGraph(profiles).once(weights)
	if kept > uint64(limit)/2 {
		clear(once)
		kept = 0
	}
	for n := range profiles {
		profiles[n].recurs = len(profiles[n].callees) > 0 && !once[n]
	}
	return policy.Bytes(kept)
}
