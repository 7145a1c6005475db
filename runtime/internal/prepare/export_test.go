package prepare

import "github.com/wasmagent/wasmagent/policy"

// Exact makes a valid program count every instruction that it executes, one after the other,
// but for those that only end a block. What it counts is the fuel that is spent, below
// zero.
func Exact(wasm []byte) []byte {
	m, err := decode(wasm, policy.Defaults)
	if err != nil {
		panic(err)
	}
	count := uint32(len(m.globals))
	for n := range m.bodies {
		b := &m.bodies[n]
		var out []byte
		for r := (reader{bytes: b.code}); r.more(); {
			in := r.instruction()
			if in.op != opEnd && in.op != opElse {
				out = assemble(out, index(opGlobalGet, count), constant(1), plain(opI64Sub), index(opGlobalSet, count))
			}
			out = in.append(out)
		}
		b.code = out
	}
	m.globals = append(m.globals, global{kind: typeI64, mutable: true, value: constant(0)})
	m.exports = append(m.exports, export{name: FuelExport, kind: kindGlobal, index: count})
	return encode(m)
}
