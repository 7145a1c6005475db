package prepare_test

import (
	"math/rand/v2"
	"testing"

	. "github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	. "github.com/wasmagent/wasmagent/runtime/internal/prepare"
)

// A writer makes up valid functions. Its choices come from bytes, so that a fuzzer
// can steer them. Every function has two i32 parameters, of which the second
// bounds its loops and calls, a local, and one result, or two.
type writer struct {
	choices []byte
	code    []byte
	labels  []bool // the open blocks, innermost last: whether a branch to one repeats it
	funcs   int
}

// The locals of every function.
const (
	value  = uint32(0)
	budget = uint32(1)
	spare  = uint32(2)
)

// pick chooses a number below n; when the choices have run out, zero.
func (w *writer) pick(n int) int {
	if len(w.choices) == 0 {
		return 0
	}
	c := int(w.choices[0])
	w.choices = w.choices[1:]
	return c % n
}

func (w *writer) write(parts ...any) { w.code = append(w.code, Code(parts...)...) }

// operand leaves one i32.
func (w *writer) operand() {
	switch w.pick(6) {
	case 0:
		w.write(LocalGet, value)
	case 1:
		w.write(LocalGet, spare)
	case 2:
		w.write(I32Const, int(int32(w.pick(256)*16843009)))
	case 3:
		w.write(LocalGet, value, I32Const, 0x1ffc, I32And, I32Load, uint32(2), uint32(0))
	case 4:
		w.write(GlobalGet, uint32(0))
	case 5:
		w.write(MemorySize, Raw(0))
	}
}

// statement leaves the operand stack as it was.
func (w *writer) statement() {
	switch w.pick(14) {
	case 0:
		w.operand()
		w.write(LocalSet, value)
	case 1:
		w.operand()
		w.operand()
		w.write([]Op{I32Add, I32Sub, I32Mul, I32Xor, I32And, I32Shl}[w.pick(6)], LocalTee, spare, GlobalSet, uint32(0))
	case 2:
		w.operand()
		w.write(I32Const, 0x1ffc, I32And)
		w.operand()
		w.write(I32Store, uint32(2), uint32(0))
	case 3:
		w.write(I32Const, w.pick(256)*16, I32Const, w.pick(256), I32Const, w.pick(256)*8, MemoryFill, Raw(0))
	case 4:
		w.block(Block)
	case 5:
		w.operand()
		w.block(If)
	case 6, 7, 8:
		w.loop()
	case 9, 10, 11:
		w.call()
	case 12:
		w.branch()
	case 13:
		w.leave()
	}
}

func (w *writer) statements() {
	for range 2 + w.pick(5) {
		if len(w.labels) < 12 && len(w.code) < 4000 {
			w.statement()
		}
	}
}

func (w *writer) block(op Op) {
	w.write(op, Void)
	w.labels = append(w.labels, false)
	w.statements()
	w.labels = w.labels[:len(w.labels)-1]
	w.write(End)
}

// loop is a loop that the budget ends.
func (w *writer) loop() {
	w.write(Block, Void, Loop, Void)
	w.labels = append(w.labels, false, true)
	w.spend()
	w.write(LocalGet, budget, I32Eqz, BrIf, uint32(1))
	w.statements()
	if w.pick(3) > 0 {
		w.write(Br, uint32(0))
	}
	w.labels = w.labels[:len(w.labels)-2]
	w.write(End, End)
}

// spend takes one off the budget, unless it is zero.
func (w *writer) spend() {
	w.write(LocalGet, budget, LocalGet, budget, I32Const, 0, I32Ne, I32Sub, LocalSet, budget)
}

// call calls one of the functions, itself included, with half of the budget.
func (w *writer) call() {
	w.spend()
	w.write(LocalGet, budget, If, Void)
	w.operand()
	w.write(LocalGet, budget, I32Const, 1, Op(0x76)) // i32.shr_u
	if w.pick(2) == 0 {
		w.write(Call, uint32(2+w.pick(w.funcs)))
	} else {
		w.write(I32Const, w.pick(w.funcs), CallIndirect, uint32(2), uint32(0))
	}
	w.write(LocalSet, spare, LocalSet, value, End)
}

// branch leaves or repeats one of the open blocks; a loop only where its budget is
// spent at its head.
func (w *writer) branch() {
	if len(w.labels) == 0 {
		return
	}
	label := uint32(w.pick(len(w.labels)))
	switch w.pick(3) {
	case 0:
		w.write(Br, label)
	case 1:
		w.operand()
		w.write(BrIf, label)
	case 2:
		w.operand()
		w.write(BrTable, uint32(2), label, uint32(w.pick(len(w.labels))), label)
	}
}

// leave returns, or branches out of the function, with its results.
func (w *writer) leave() {
	w.operand()
	w.operand()
	if w.pick(2) == 0 {
		w.write(Return)
	} else {
		w.write(Br, uint32(len(w.labels)))
	}
}

// madeUp is a program of made-up functions. It exits with a digest of what it left
// in memory.
func madeUp(choices []byte) []byte {
	w := &writer{choices: choices}
	w.funcs = 1 + w.pick(4)
	pair := Signature{Params: []Op{I32, I32}, Results: []Op{I32, I32}}
	m := Command([]Import{exit}, Code(
		I32Const, 12345, I32Const, 60, Call, uint32(2), I32Xor, GlobalGet, uint32(0), I32Add, LocalSet, uint32(0),
		Loop, Void,
		LocalGet, uint32(0), I32Const, 31, I32Mul, LocalGet, uint32(1), I32Load, uint32(2), uint32(0), I32Add, LocalSet, uint32(0),
		LocalGet, uint32(1), I32Const, 4, I32Add, LocalTee, uint32(1), I32Const, 0x2000, I32LtU, BrIf, uint32(0),
		End,
		LocalGet, uint32(0), Call, uint32(0),
	))
	m.Funcs[0].Locals = []Op{I32, I32}
	m.Globals = []Global{{Type: I32, Init: Code(I32Const, 7)}}
	m.Tables = []Bound{{Min: uint32(w.funcs)}}
	for i := range w.funcs {
		w.code = nil
		w.statements()
		w.operand()
		w.operand()
		m.Funcs = append(m.Funcs, Func{Type: pair, Locals: []Op{I32}, Code: w.code})
		m.Elements = append(m.Elements, uint32(2+i))
	}
	return m.Bytes()
}

// differ wants a made-up program to do the same, rewritten and not, to count the same
// in both engines, and no less than it executes. Those that run for long are left out.
func differ(t *testing.T, choices []byte) {
	wasm := madeUp(choices)
	rewritten := prepared(t, wasm, policy.Limits{})
	m := newMachine(t, engines["interpreted"]())
	m.meter.allowance = 1_000_000
	got := m.execute(t, rewritten)
	if got.err != nil {
		return
	}
	want := newMachine(t, engines["interpreted"]()).run(t, wasm)
	c := newMachine(t, engines["compiled"]())
	compiled := c.execute(t, rewritten)
	if got != want || compiled != want || m.meter.count() != c.meter.count() {
		t.Errorf("%x: interpreted %v after %d, compiled %v after %d; before it was rewritten %v",
			choices, got, m.meter.count(), compiled, c.meter.count(), want)
	}
	exact := newMachine(t, engines["interpreted"]())
	exact.run(t, Exact(wasm)) // where the call of proc_exit, too, counts one
	if count := m.meter.count() - 255; count < exact.meter.count() {
		t.Errorf("%x: counted %d, and executed %d instructions", choices, count, exact.meter.count())
	}
}

func TestMadeUp(t *testing.T) {
	t.Parallel()
	rounds := uint64(300)
	if testing.Short() || raceEnabled {
		rounds = 40
	}
	for seed := range rounds {
		differ(t, randomBytes(seed, 400))
	}
}

func randomBytes(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func FuzzMadeUp(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(randomBytes(seed, 200))
	}
	f.Fuzz(differ)
}
