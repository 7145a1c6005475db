package prepare

import "encoding/binary"

// An instruction is an opcode with what follows it.
type instruction struct {
	op    opcode
	a, b  uint32 // indices; or the alignment and the offset of an access
	value int64  // a constant, or the type of a block
	bytes []byte // plain bytes, value types, or the labels of br_table
}

// instruction reads the next one.
func (r *reader) instruction() instruction {
	in := instruction{op: r.opcode()}
	if r.err != nil {
		return in
	}
	f := in.op.shape().form
	switch f {
	case formBlock:
		in.value = r.signed(33)
	case formIndex:
		in.a = r.unsigned()
	case formLabels:
		in.a = uint32(r.count(1))
		in.bytes = r.labels(in.a + 1)
	case formIndices:
		in.a, in.b = r.unsigned(), r.unsigned()
	case formZero:
		r.zero()
	case formZeros:
		r.zero()
		r.zero()
	case formMemory, formMemoryLane:
		in.a, in.b = r.unsigned(), r.unsigned()
	case formI32:
		in.value = r.signed(32)
	case formI64:
		in.value = r.signed(64)
	case formTypes:
		in.a = uint32(r.count(1))
		in.bytes = r.take(uint64(in.a))
	}
	if f == formMemoryLane {
		in.bytes = r.take(1)
	} else if n := f.size(); n > 0 {
		in.bytes = r.take(n)
	}
	return in
}

// zero reads the index of the only memory.
func (r *reader) zero() {
	if index := r.byte(); index != 0 {
		r.fail("memory %d is not there", index)
	}
}

// opcode reads an opcode.
func (r *reader) opcode() opcode {
	prefix := r.byte()
	op, sub := opcode(prefix), uint32(0)
	if prefix == prefixMisc || prefix == prefixVector {
		before := len(r.bytes)
		sub = r.unsigned()
		if r.err == nil && before-len(r.bytes) != len(appendUnsigned(nil, sub)) {
			r.fail("opcode %#x %#x is not in its shortest form", prefix, sub)
		}
		op = op<<8 | opcode(sub&0xff)
	}
	if sub > 0xff || op.shape().form == formUnknown {
		r.unknown(prefix, sub)
	}
	return op
}

// unknown fails for an opcode that is in no table.
func (r *reader) unknown(prefix byte, sub uint32) {
	if name := proposal(opcode(prefix)); name != "" {
		r.refuse("the program uses " + name)
	}
	r.fail("%#x %#x is no instruction", prefix, sub)
}

// labels reads that many numbers and returns their bytes.
func (r *reader) labels(n uint32) []byte {
	all := r.bytes
	for range n {
		if r.unsigned(); r.err != nil {
			return nil
		}
	}
	return all[:len(all)-len(r.bytes)]
}

// eachLabel calls f with every label of a br_table.
func (in instruction) eachLabel(f func(label uint32)) {
	for r := (reader{bytes: in.bytes}); r.more(); {
		f(r.unsigned())
	}
}

// append encodes the instruction, every number in its shortest form.
func (in instruction) append(out []byte) []byte {
	out = in.op.append(out)
	switch in.op.shape().form {
	case formBlock, formI32, formI64:
		return appendSigned(out, in.value)
	case formIndex:
		return appendUnsigned(out, in.a)
	case formZero:
		return append(out, 0)
	case formZeros:
		return append(out, 0, 0)
	case formIndices, formMemory, formMemoryLane:
		out = appendUnsigned(appendUnsigned(out, in.a), in.b)
	case formLabels:
		out = appendUnsigned(out, in.a)
		in.eachLabel(func(label uint32) { out = appendUnsigned(out, label) })
		return out
	case formTypes:
		out = appendUnsigned(out, in.a)
	}
	return append(out, in.bytes...)
}

// append encodes the opcode.
func (op opcode) append(out []byte) []byte {
	if op < 0x100 {
		return append(out, byte(op))
	}
	return appendUnsigned(append(out, byte(op>>8)), uint32(op&0xff))
}

func appendUnsigned(out []byte, v uint32) []byte { return binary.AppendUvarint(out, uint64(v)) }

func appendSigned(out []byte, v int64) []byte {
	for v < -64 || v > 63 {
		out = append(out, byte(v)|0x80)
		v >>= 7
	}
	return append(out, byte(v)&0x7f)
}
