// Package gorand finds the random generators of Go's runtime in the memory of a Go
// program, so that each of many copies of that memory can be given a seed of its own.
//
// Go's runtime asks the system for one seed, when a program starts, and makes all of its
// generators from that (https://go.dev/src/runtime/rand.go). Each is a State of
// internal/chacha8rand (https://go.dev/src/internal/chacha8rand/chacha8.go), as a
// math/rand/v2.ChaCha8 is. A state holds 32 numbers that follow from its seed, so that
// nothing else is taken for one; and only those that descend from the given seed are the
// runtime's.
//
// All functions are safe for concurrent use.
package gorand

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// A Seed is what the runtime asks for.
type Seed = [32]byte

// The layout of a state: numbers, the seed that they follow from, then how many of them
// are used, how many can be, and which of a seed's blocks they are.
const (
	numbers    = 32
	seedAt     = 8 * numbers
	usedAt     = seedAt + len(Seed{})
	countAt    = usedAt + 4
	blockAt    = countAt + 4
	StateSize  = blockAt + 4 // of all of it, in bytes
	blockSteps = 4           // a block's number is a multiple of that
	lastBlock  = 12          // of a seed
	kept       = 4           // numbers of the last block that are the next seed
)

const (
	maxStates   = 64     // of a program; Go has one for each thread and one for all
	maxLooks    = 10_000 // at what looks like a state; Go has some ten of a megabyte
	maxDrawn    = 64     // numbers of the first generator in which another's seed is looked for
	maxReseeded = 256    // times that a generator has taken a seed from itself
)

// Find returns the offsets in memory of the generators that the runtime made of seed, in
// order. It looks at every eighth byte once, and finds nothing in memory that holds
// too many states, or too much that looks like one.
func Find(memory []byte, seed Seed) (offsets []int) {
	var states []int
	looks := 0
	for at := 0; at+StateSize <= len(memory); at += 8 {
		state := memory[at : at+StateSize]
		if !looksLikeState(state) {
			continue
		}
		if looks++; looks > maxLooks || len(states) > maxStates {
			return nil
		}
		if isState(state) {
			states = append(states, at)
		}
	}
	if len(states) == 0 {
		return nil
	}
	ours := descendants(seed, states, memory)
	return slices.DeleteFunc(states, func(at int) bool { return !ours[seedOf(memory[at:])] })
}

func seedOf(state []byte) Seed { return Seed(state[seedAt:usedAt]) }

// counters are how many numbers of a state are used, how many can be, and which of a
// seed's blocks they are.
func counters(b []byte) (used, count, block uint32) {
	return binary.LittleEndian.Uint32(b[usedAt:]), binary.LittleEndian.Uint32(b[countAt:]), binary.LittleEndian.Uint32(b[blockAt:])
}

// looksLikeState tells whether bytes can be a state, by its counters.
func looksLikeState(b []byte) bool {
	used, count, block := counters(b)
	size := uint32(numbers)
	if block == lastBlock {
		size -= kept
	}
	return block <= lastBlock && block%blockSteps == 0 && count == size && used <= count
}

// isState tells whether bytes that look like a state are one.
func isState(b []byte) bool {
	_, count, block := counters(b)
	generator := rand.NewChaCha8(seedOf(b))
	for range block / blockSteps * numbers {
		generator.Uint64()
	}
	for i := range int(count) {
		if generator.Uint64() != binary.LittleEndian.Uint64(b[8*i:]) {
			return false
		}
	}
	return true
}

// descendants are those of the states' seeds that descend from a seed: the generator
// with that seed made others, each of four numbers that it drew, and each of them takes
// a new seed from itself now and then.
func descendants(seed Seed, states []int, memory []byte) map[Seed]bool {
	wanted := map[Seed]bool{}
	for _, at := range states {
		wanted[seedOf(memory[at:])] = true
	}
	found := map[Seed]bool{}
	note := func(first Seed) {
		for s, n := first, 0; n < maxReseeded && len(found) < len(wanted); n++ {
			if wanted[s] {
				found[s] = true
			}
			s = next(s)
		}
	}
	note(seed)
	var drawn []byte
	for generator := rand.NewChaCha8(seed); len(drawn) < 8*maxDrawn; {
		drawn = binary.LittleEndian.AppendUint64(drawn, generator.Uint64())
		if end := len(drawn) - len(Seed{}); end >= 0 && len(found) < len(wanted) {
			note(Seed(drawn[end:]))
		}
	}
	return found
}

// next is the seed that a generator takes when it has used all numbers of one.
func next(seed Seed) Seed {
	generator := rand.NewChaCha8(seed)
	for range numbers*(lastBlock/blockSteps+1) - kept + 1 {
		generator.Uint64()
	}
	state, err := generator.MarshalBinary()
	if err != nil {
		panic(err) // it never fails
	}
	return Seed(state[len(state)-len(Seed{}):])
}

// New returns the bytes of a state with a seed of its own, of which nothing is used.
func New(seed Seed) []byte {
	state := make([]byte, StateSize)
	generator := rand.NewChaCha8(seed)
	for i := range numbers {
		binary.LittleEndian.PutUint64(state[8*i:], generator.Uint64())
	}
	copy(state[seedAt:], seed[:])
	binary.LittleEndian.PutUint32(state[countAt:], numbers)
	return state
}
