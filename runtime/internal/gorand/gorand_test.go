package gorand_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wasmagent/wasmagent/runtime/internal/gorand"
)

var seed = gorand.Seed{1, 2, 3}

// drawn is the seed that a generator with another one draws after some numbers.
func drawn(s gorand.Seed, after int) gorand.Seed {
	generator := rand.NewChaCha8(s)
	for range after {
		generator.Uint64()
	}
	var b []byte
	for range 4 {
		b = binary.LittleEndian.AppendUint64(b, generator.Uint64())
	}
	return gorand.Seed(b)
}

// reseeded is the seed that a generator has after so many numbers.
func reseeded(s gorand.Seed, numbers int) gorand.Seed {
	generator := rand.NewChaCha8(s)
	for range numbers {
		generator.Uint64()
	}
	state, err := generator.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return gorand.Seed(state[len(state)-32:])
}

// second is the state of a generator of which the second block is in use.
func second(s gorand.Seed) []byte {
	state := gorand.New(s)
	generator := rand.NewChaCha8(s)
	for range 32 {
		generator.Uint64()
	}
	for i := range 32 {
		binary.LittleEndian.PutUint64(state[8*i:], generator.Uint64())
	}
	state[32*8+32] = 7 // used
	state[32*8+40] = 4 // the block
	return state
}

var states = []struct {
	name  string
	state []byte
	found bool
}{
	{"of the seed itself", gorand.New(seed), true},
	{"drawn", gorand.New(drawn(seed, 4)), true},
	{"drawn later", gorand.New(drawn(seed, 40)), true},
	{"in use", second(drawn(seed, 4)), true},
	{"reseeded", gorand.New(reseeded(drawn(seed, 4), 1000)), true},
	{"of another seed", gorand.New(gorand.Seed{9}), false},
	{"drawn far away", gorand.New(drawn(seed, 5000)), false},
	{"too short", gorand.New(seed)[:gorand.StateSize-1], false},
	{"with another number", func() []byte { s := gorand.New(seed); s[9]++; return s }(), false},
	{"with another count", func() []byte { s := gorand.New(seed); s[32*8+36]--; return s }(), false},
	{"nothing", make([]byte, 4096), false},
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, row := range states {
		for _, at := range []int{0, 8, 4096} {
			memory := append(make([]byte, at), row.state...)
			if row.name != "too short" {
				memory = append(memory, make([]byte, 100)...)
			}
			got := gorand.Find(memory, seed)
			if want := []int{at}; row.found && !slices.Equal(got, want) || !row.found && len(got) > 0 {
				t.Errorf("%s at %d: found %v", row.name, at, got)
			}
		}
	}
}

func TestFindAll(t *testing.T) {
	t.Parallel()
	var memory []byte
	var want []int
	for _, row := range states {
		if row.name == "too short" {
			continue
		}
		if row.found {
			want = append(want, len(memory))
		}
		memory = append(memory, row.state...)
		memory = append(memory, make([]byte, 8-len(memory)%8)...)
	}
	if got := gorand.Find(memory, seed); !slices.Equal(got, want) {
		t.Errorf("found %v; want %v", got, want)
	}
}

// TestFindIsBounded has memory be full of what looks like states, each of which takes
// microseconds to look at.
func TestFindIsBounded(t *testing.T) {
	t.Parallel()
	for lookalikes, found := range map[int]bool{1000: true, 100_000: false} {
		memory := bytes.Repeat(binary.LittleEndian.AppendUint64(nil, 8|32<<32), lookalikes)
		if got := gorand.Find(append(memory, gorand.New(seed)...), seed); (len(got) > 0) != found {
			t.Errorf("behind %d lookalikes: found %v; want any: %v", lookalikes, got, found)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, row := range states {
		f.Add(row.state)
	}
	f.Fuzz(func(t *testing.T, memory []byte) {
		for _, at := range gorand.Find(memory, seed) {
			if at+gorand.StateSize > len(memory) {
				t.Errorf("a state at %d of %d bytes", at, len(memory))
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	memory := make([]byte, 4<<20)
	copy(memory[1<<20:], gorand.New(drawn(seed, 4)))
	b.SetBytes(int64(len(memory)))
	for b.Loop() {
		gorand.Find(memory, seed)
	}
}
