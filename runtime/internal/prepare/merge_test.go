package prepare

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func active(offset int32, content string) segment {
	return segment{offset: instruction{op: opI32Const, value: int64(offset)}, bytes: []byte(content)}
}

// filled is the memory after the segments were put into it.
func filled(segments []segment) []byte {
	memory := make([]byte, pageSize)
	for _, s := range segments {
		copy(memory[s.at():], s.bytes)
	}
	return memory
}

func TestMerge(t *testing.T) {
	t.Parallel()
	names := []profile{{}, {names: true}}
	far := segment{offset: instruction{op: opGlobalGet}, bytes: []byte("x")}
	for _, row := range []struct {
		name     string
		segments []segment
		profiles []profile
		want     int
	}{
		{"none", nil, nil, 0},
		{"one", []segment{active(5, "x")}, nil, 1},
		{"adjacent", []segment{active(0, "abc"), active(3, "def")}, nil, 1},
		{"a gap", []segment{active(0, "a"), active(1+mergeGap, "b")}, nil, 1},
		{"a wide gap", []segment{active(0, "a"), active(2+mergeGap, "b")}, nil, 2},
		{"backwards", []segment{active(9, "b"), active(0, "a")}, nil, 1},
		{"the last wins", []segment{active(2, "aaaa"), active(0, "bbbb"), active(3, "c")}, nil, 1},
		{"within", []segment{active(0, "abcdefgh"), active(2, "x"), active(7, "yz")}, nil, 1},
		{"empty ones", []segment{active(0, ""), active(10, ""), active(5, "x")}, nil, 1},
		{"the end", []segment{active(pageSize-2, "ab"), active(pageSize-1, "c")}, nil, 1},
		{"passive", []segment{active(0, "a"), {passive: true}}, nil, 2},
		{"out of bounds", []segment{active(0, "a"), active(pageSize-1, "bc")}, nil, 2},
		{"negative", []segment{active(0, "a"), active(-1, "b")}, nil, 2},
		{"at a global", []segment{active(0, "a"), far}, nil, 2},
		{"named", []segment{active(0, "a"), active(1, "b")}, names, 2},
	} {
		m := &module{data: row.segments, counted: new(uint32(len(row.segments)))}
		merge(m, row.profiles, pageSize)
		if len(m.data) != row.want || m.counted != nil && int(*m.counted) != len(m.data) {
			t.Errorf("%s: %d segments, %v announced; want %d", row.name, len(m.data), m.counted, row.want)
		}
		if mergeable(row.segments, pageSize) && !bytes.Equal(filled(m.data), filled(row.segments)) {
			t.Errorf("%s: the memory is another", row.name)
		}
	}
}

func TestMergeAnything(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		segments := make([]segment, random.IntN(40))
		for i := range segments {
			content := bytes.Repeat([]byte{byte(i + 1)}, random.IntN(100))
			segments[i] = active(int32(random.IntN(2000)), string(content))
		}
		if got := merged(segments); !bytes.Equal(filled(got), filled(segments)) {
			t.Fatalf("%v became %v", segments, got)
		}
	}
}
