package zipmod_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"testing"
)

// commented is a zip with a comment.
func commented(t testing.TB, comment string) []byte {
	t.Helper()
	data := build(t, minimal)
	binary.LittleEndian.PutUint16(data[len(data)-2:], uint16(len(comment)))
	return append(data, comment...)
}

// zip64Located is a zip with a zip64 locator before its end record, which
// readers that know zip64 follow.
func zip64Located(t testing.TB) []byte {
	t.Helper()
	return build(t, minimal, item{"a", "x", func(h *zip.FileHeader) {
		h.Comment = "PK\x06\x07" + string(make([]byte, 16))
	}})
}

// field is the offset of a field of the nth header, counted from 1, that begins
// with the signature.
func field(t testing.TB, data []byte, signature string, n, offset int) int {
	t.Helper()
	at := -1
	for range n {
		next := bytes.Index(data[at+1:], []byte(signature))
		if next < 0 {
			t.Fatal("the zip has fewer headers")
		}
		at += 1 + next
	}
	return at + offset
}

func twoMethods(t testing.TB) []byte {
	t.Helper()
	data := buildRaw(t, minimal, item{name: "a", body: "hello"})
	return poke(data, field(t, data, local, 2, 8), byte(zip.Store), 0)
}

func twoFlags(t testing.TB) []byte {
	t.Helper()
	data := build(t, minimal)
	return poke(data, field(t, data, directory, 1, 8), 0, 0)
}

// overlapping is a zip whose directory has two entries of the same bytes.
func overlapping(t testing.TB) []byte {
	t.Helper()
	data := buildRaw(t, minimal, file("a"), file("a"))
	first := binary.LittleEndian.Uint32(data[field(t, data, directory, 2, 42):])
	at := field(t, data, directory, 3, 42)
	return poke(data, at, binary.LittleEndian.AppendUint32(nil, first)...)
}

// nested is a zip with an entry whose bytes are the content of another.
func nested(t testing.TB) []byte {
	t.Helper()
	inner := buildRaw(t, file("in"))
	data := buildRaw(t, minimal, item{"out", string(inner), func(h *zip.FileHeader) {
		h.Method = zip.Store
		h.CompressedSize64 = uint64(len(inner))
	}}, file("in"))
	// buildRaw wrote deflated bytes and zeros: put the stored ones in place.
	body := field(t, data, local, 2, 30+len("out"))
	data = poke(data, body, inner...)
	offset := field(t, data, directory, 4, 42) // the first one is inner's
	return poke(data, offset, binary.LittleEndian.AppendUint32(nil, uint32(body))...)
}

// gap is a zip from whose directory the entry between two others is gone.
func gap(t testing.TB) []byte {
	t.Helper()
	data := buildRaw(t, minimal, item{name: "ab", body: ""}, item{name: "b", body: ""})
	return dropEntry(t, data, 2)
}

// gapAtEnd is the same with the last entry.
func gapAtEnd(t testing.TB) []byte {
	t.Helper()
	return dropEntry(t, buildRaw(t, minimal, file("a")), 2)
}

// dropEntry takes the nth header out of the directory of a zip and leaves the
// entry.
func dropEntry(t testing.TB, data []byte, n int) []byte {
	t.Helper()
	le := binary.LittleEndian
	from := field(t, data, directory, n, 0)
	to := from + 46 + int(le.Uint16(data[from+28:])) + int(le.Uint16(data[from+30:])) + int(le.Uint16(data[from+32:]))
	data = append(bytes.Clone(data[:from]), data[to:]...)
	end := data[len(data)-22:]
	le.PutUint16(end[8:], le.Uint16(end[8:])-1)
	le.PutUint16(end[10:], le.Uint16(end[10:])-1)
	le.PutUint32(end[12:], le.Uint32(end[12:])-uint32(to-from))
	return data
}
