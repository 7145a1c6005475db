package prepare

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// A reader reads the binary format's primitives from a part of the file. The first
// error sticks: from then on every read returns zero and consumes nothing, so
// that callers may check once, after a sequence of reads.
type reader struct {
	bytes []byte // what is left
	end   int    // the offset in the file of the end of bytes
	err   error
}

// offset is the place in the file.
func (r *reader) offset() int { return r.end - len(r.bytes) }

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("malformed at byte %#x: %w; build it again", r.offset(), fmt.Errorf(format, args...))
		r.bytes = nil
	}
}

// refuse fails for what is well-formed and not supported.
func (r *reader) refuse(reason string) {
	if r.err == nil {
		r.err = errors.New(reason)
		r.bytes = nil
	}
}

func (r *reader) more() bool { return len(r.bytes) > 0 && r.err == nil }

// take reads n bytes, without a copy.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.bytes)) {
		r.fail("it ends too early (a truncated file?)")
		return nil
	}
	taken := r.bytes[:n:n]
	r.bytes = r.bytes[n:]
	return taken
}

func (r *reader) byte() byte {
	if len(r.bytes) == 0 {
		r.take(1)
		return 0
	}
	b := r.bytes[0]
	r.bytes = r.bytes[1:]
	return b
}

// within is a reader of the next n bytes, which r is past then.
func (r *reader) within(n uint32) *reader {
	taken := r.take(uint64(n))
	return &reader{bytes: taken, end: r.offset(), err: r.err}
}

// unsigned reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) unsigned() uint32 {
	var v uint64
	for shift := uint(0); shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.fail("a number does not fit into 32 bits")
	return 0
}

// signed reads a signed LEB128 number of that many bits.
func (r *reader) signed(bits uint) int64 {
	var v int64
	for shift := uint(0); shift < bits; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b >= 0x80 {
			continue
		}
		if left := bits - shift; left < 7 && !signExtended(b, left) {
			break
		}
		if shift+7 < 64 && b&0x40 != 0 {
			v |= -1 << (shift + 7)
		}
		return v
	}
	r.fail("a number does not fit into %d bits", bits)
	return 0
}

// signExtended tells whether the bits of a last byte beyond the first n repeat the
// sign, which is the nth.
func signExtended(b byte, n uint) bool {
	upper := int8(b<<1) >> n // the sign and what follows it
	return upper == 0 || upper == -1
}

// count reads the length of a vector whose items take at least size bytes each, so
// that no more can be announced than there is.
func (r *reader) count(size int) int {
	n := r.unsigned()
	if uint64(n)*uint64(size) > uint64(len(r.bytes)) {
		r.fail("%d items are announced and %d bytes are left (a truncated file?)", n, len(r.bytes))
		return 0
	}
	return int(n)
}

func (r *reader) name() string {
	b := r.take(uint64(r.unsigned()))
	if !utf8.Valid(b) {
		r.fail("a name is not UTF-8")
	}
	return string(b)
}

// vector reads a vector of at most max items, which take at least size bytes each.
func vector[T any](r *reader, what string, max, size int, item func(*reader) T) []T {
	n := r.count(size)
	if n > max {
		r.refuse(fmt.Sprintf("the program has %d %s and at most %d are allowed: build it smaller", n, what, max))
		return nil
	}
	list := make([]T, 0, n)
	for range n {
		if r.err != nil {
			return nil
		}
		list = append(list, item(r))
	}
	return list
}
