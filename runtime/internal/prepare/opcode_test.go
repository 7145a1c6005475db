package prepare

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
)

// every lists the opcodes that the tables know.
func every() []opcode {
	var list []opcode
	for _, prefix := range []opcode{0, prefixMisc << 8, prefixVector << 8} {
		for sub := range opcode(256) {
			if op := prefix | sub; op.shape().form != formUnknown && (prefix != 0 || sub < prefixMisc) {
				list = append(list, op)
			}
		}
	}
	return list
}

// sample is an instruction with the opcode and valid immediates.
func sample(op opcode) instruction {
	in := instruction{op: op}
	switch op.shape().form {
	case formBlock:
		in.value = blockVoid
	case formLabels:
		in.a, in.bytes = 2, []byte{0, 0, 0}
	case formI32, formI64:
		in.value = math.MinInt32
	case formMemoryLane:
		in.bytes = []byte{0}
	case formTypes:
		in.a, in.bytes = 1, []byte{typeI64}
	default:
		in.bytes = make([]byte, op.shape().form.size())
	}
	if op == opRefNull {
		in.bytes = []byte{typeExternref}
	}
	return in
}

// holding is a program with everything that instructions can name, and one
// function whose code cannot be reached.
func holding(in instruction) []byte {
	code := in.append([]byte{byte(opUnreachable)})
	switch in.op {
	case opBlock, opLoop, opIf:
		code = append(code, byte(opEnd))
	case opElse:
		code = append([]byte{byte(opUnreachable), byte(opIf), typeVoid}, byte(opElse), byte(opEnd))
	case opEnd:
		code = append([]byte{byte(opUnreachable), byte(opBlock), typeVoid}, byte(opEnd))
	}
	m := wasmtest.Command(nil, append(code, byte(opUnreachable)))
	m.Funcs[0].Locals = []wasmtest.Op{wasmtest.I64}
	m.Globals = []wasmtest.Global{{Type: wasmtest.I64, Init: wasmtest.Code(wasmtest.I64Const, 0)}}
	m.Tables, m.Elements = []wasmtest.Bound{{Min: 1}}, []uint32{0}
	m.Data = []wasmtest.Data{{Bytes: []byte("x"), Passive: true}}
	return m.Bytes()
}

// TestEveryOpcode asks wazero whether it knows the same instructions, and whether
// they are still there after the rewriting.
func TestEveryOpcode(t *testing.T) {
	t.Parallel()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	provideTick(t, r)
	valid := func(wasm []byte) error {
		m, err := r.CompileModule(t.Context(), wasm)
		if err == nil {
			_ = m.Close(t.Context())
		}
		return err
	}
	for _, op := range every() {
		in := sample(op)
		wasm := holding(in)
		if err := valid(wasm); err != nil {
			t.Errorf("%#x: wazero does not accept it: %v", op, err)
		}
		p, err := Prepare(wasm, policy.Defaults)
		if err != nil {
			t.Errorf("%#x: %v", op, err)
			continue
		}
		if err := valid(p.Wasm); err != nil {
			t.Errorf("%#x: wazero does not accept it rewritten: %v", op, err)
		}
		switch op {
		case opReturn, opRefFunc, opCall:
		default:
			if !bytes.Contains(p.Wasm, in.append(nil)) {
				t.Errorf("%#x: is not there after the rewriting", op)
			}
		}
	}
	if n := len(every()); n != 437 {
		t.Errorf("%d instructions; want the 437 of WebAssembly 2.0", n)
	}
}

// TestUnknownOpcodes asks wazero whether what the tables lack is unknown to it.
func TestUnknownOpcodes(t *testing.T) {
	t.Parallel()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	for _, prefix := range []opcode{0, prefixMisc << 8, prefixVector << 8} {
		for sub := range opcode(256) {
			op := prefix | sub
			if op.shape().form != formUnknown || op == prefixMisc || op == prefixVector {
				continue
			}
			in := instruction{op: op, bytes: make([]byte, 20)}
			if _, err := Prepare(holding(in), policy.Defaults); err == nil {
				t.Errorf("%#x was accepted", op)
			}
			if _, err := r.CompileModule(t.Context(), holding(instruction{op: op})); err == nil {
				t.Errorf("%#x is accepted by wazero", op)
			}
		}
	}
}

func provideTick(t *testing.T, r wazero.Runtime) {
	t.Helper()
	_, err := r.NewHostModuleBuilder(TickModule).NewFunctionBuilder().
		WithFunc(func(fuel int64) int64 { return fuel }).Export(TickName).Instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 8191, 8192, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64} {
		r := &reader{bytes: appendSigned(nil, v)}
		if got := r.signed(64); got != v || r.err != nil || r.more() {
			t.Errorf("signed %d: read %d, %v", v, got, r.err)
		}
	}
	for _, v := range []uint32{0, 127, 128, 16383, 16384, math.MaxUint32} {
		r := &reader{bytes: appendUnsigned(nil, v)}
		if got := r.unsigned(); got != v || r.err != nil || r.more() {
			t.Errorf("unsigned %d: read %d, %v", v, got, r.err)
		}
	}
}

func TestNumbersOutOfRange(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		bytes string
		bits  uint
		want  int64
		ok    bool
	}{
		{"\xff\x7f", 32, -1, true},
		{"\xff\xff\xff\xff\x7f", 32, -1, true},
		{"\xff\xff\xff\xff\x0f", 32, 0, false},
		{"\x80\x80\x80\x80\x08", 32, 0, false},
		{"\x80\x80\x80\x80\x78", 32, math.MinInt32, true},
		{"\xff\xff\xff\xff\x07", 32, math.MaxInt32, true},
		{"\x80\x80\x80\x80\x80\x00", 32, 0, false},
		{"\xff\xff\xff\xff\x0f", 33, math.MaxUint32, true},
		{"\x80\x80\x80\x80\x70", 33, -1 << 32, true},
		{"\x80\x80\x80\x80\x10", 33, 0, false},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 64, math.MinInt64, true},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 64, 0, false},
		{"\x80", 64, 0, false},
	} {
		r := &reader{bytes: []byte(row.bytes)}
		if got := r.signed(row.bits); got != row.want && row.ok || (r.err == nil) != row.ok {
			t.Errorf("%x in %d bits: %d, %v; want %d, %v", row.bytes, row.bits, got, r.err, row.want, row.ok)
		}
	}
	if r := (&reader{bytes: binary.AppendUvarint(nil, 1<<32)}); r.unsigned() != 0 || r.err == nil {
		t.Error("1<<32 was read as 32 bits")
	}
}
