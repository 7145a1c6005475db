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
	var list []Part
	for _, s := range segments {
		list = append(list, s.placed())
	}
	return imaged(list)
}

// imaged is the memory of an image.
func imaged(list []Part) []byte {
	memory := make([]byte, pageSize)
	for _, d := range list {
		copy(memory[d.Offset:], d.Bytes)
	}
	return memory
}

func TestLift(t *testing.T) {
	t.Parallel()
	names := []profile{{}, {names: true}}
	far := segment{offset: instruction{op: opGlobalGet}, bytes: []byte("x")}
	const stays = -1
	for _, row := range []struct {
		name     string
		segments []segment
		profiles []profile
		want     int
	}{
		{"none", nil, nil, 0},
		{"one", []segment{active(5, "x")}, nil, 1},
		{"adjacent", []segment{active(0, "abc"), active(3, "def")}, nil, 1},
		{"a gap", []segment{active(0, "a"), active(1+dataGap, "b")}, nil, 1},
		{"a wide gap", []segment{active(0, "a"), active(2+dataGap, "b")}, nil, 2},
		{"backwards", []segment{active(9, "b"), active(0, "a")}, nil, 1},
		{"the last wins", []segment{active(2, "aaaa"), active(0, "bbbb"), active(3, "c")}, nil, 1},
		{"within", []segment{active(0, "abcdefgh"), active(2, "x"), active(7, "yz")}, nil, 1},
		{"empty ones", []segment{active(0, ""), active(10, ""), active(5, "x")}, nil, 1},
		{"the end", []segment{active(pageSize-2, "ab"), active(pageSize-1, "c")}, nil, 1},
		{"passive", []segment{active(0, "a"), {passive: true}}, nil, stays},
		{"out of bounds", []segment{active(0, "a"), active(pageSize-1, "bc")}, nil, stays},
		{"negative", []segment{active(0, "a"), active(-1, "b")}, nil, stays},
		{"at a global", []segment{active(0, "a"), far}, nil, stays},
		{"named", []segment{active(0, "a"), active(1, "b")}, names, stays},
	} {
		m := &module{data: row.segments, counted: new(uint32(len(row.segments)))}
		got := lift(m, row.profiles, pageSize)
		switch {
		case row.want == stays:
			if len(got) != 0 || len(m.data) != len(row.segments) || m.counted == nil {
				t.Errorf("%s: %d were taken, %d of %d segments stay", row.name, len(got), len(m.data), len(row.segments))
			}
		case len(got) != row.want || len(m.data) != 0 || m.counted != nil:
			t.Errorf("%s: %d taken, %d segments stay; want %d and none", row.name, len(got), len(m.data), row.want)
		case !bytes.Equal(imaged(got), filled(row.segments)):
			t.Errorf("%s: the memory is another", row.name)
		}
	}
}

// TestLiftSparse wants an image to span what is in proportion to what it holds.
func TestLiftSparse(t *testing.T) {
	t.Parallel()
	const memory = 64 << 20
	for _, row := range []struct {
		first, at int
		stays     bool
	}{{1, maxSpread, false}, {1, memory - 1, true}, {memory / 4, memory - 1, false}} {
		m := &module{data: []segment{active(0, string(make([]byte, row.first))), active(int32(row.at), "x")}}
		if got := lift(m, nil, memory); (len(got) == 0) != row.stays || (len(m.data) > 0) != row.stays {
			t.Errorf("%d bytes, and one at %d: %d taken, %d segments stay; want any to stay: %v", row.first, row.at, len(got), len(m.data), row.stays)
		}
	}
}

func TestLiftAnything(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		segments := make([]segment, random.IntN(40))
		for i := range segments {
			content := bytes.Repeat([]byte{byte(i + 1)}, random.IntN(100))
			segments[i] = active(int32(random.IntN(2000)), string(content))
		}
		got := joined(segments)
		for i := 1; i < len(got); i++ {
			if got[i].Offset < got[i-1].end() {
				t.Fatalf("%v are not in order", got)
			}
		}
		if !bytes.Equal(imaged(got), filled(segments)) {
			t.Fatalf("%v became %v", segments, got)
		}
	}
}
