package prepare

import (
	"cmp"
	"slices"
)

// mergeGap is the most zero bytes that are written out to make one data segment of
// two. An engine needs longer for a segment than for so many bytes.
const mergeGap = 32

// merge makes few data segments of many: linkers emit one for each stretch between
// zeros, Go's 30,000 for a program of 2.5 MB. Memory after instantiation is the
// same. Segments that are not all active at constant offsets within that many bytes
// of memory, or that code names, are left as they are.
func merge(m *module, profiles []profile, memory uint64) {
	if mergeable(m.data, memory) && !slices.ContainsFunc(profiles, func(p profile) bool { return p.names }) {
		m.data, m.counted = merged(m.data), nil
	}
}

func mergeable(segments []segment, memory uint64) bool {
	return !slices.ContainsFunc(segments, func(s segment) bool {
		return s.passive || s.offset.op != opI32Const || s.at()+uint64(len(s.bytes)) > memory
	})
}

func merged(segments []segment) []segment {
	order := make([]int, len(segments))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(segments[a].at(), segments[b].at()) })
	var list []segment
	for len(order) > 0 {
		n, end := stretch(segments, order)
		list = append(list, join(segments, order[:n], end))
		order = order[n:]
	}
	return list
}

// at is where an active segment begins.
func (s segment) at() uint64 { return uint64(uint32(s.offset.value)) }

// stretch is the number of segments, in order, that lie close together, and where
// the last of them ends.
func stretch(segments []segment, order []int) (n int, end uint64) {
	for _, i := range order {
		s := segments[i]
		if n > 0 && s.at() > end+mergeGap {
			break
		}
		end = max(end, s.at()+uint64(len(s.bytes)))
		n++
	}
	return n, end
}

// join makes one segment of several, which come in order of their offsets. Where
// they overlap, the one that the module has last wins.
func join(segments []segment, order []int, end uint64) segment {
	first := segments[order[0]]
	if len(order) == 1 {
		return first
	}
	joined := make([]byte, end-first.at())
	slices.Sort(order)
	for _, i := range order {
		copy(joined[segments[i].at()-first.at():], segments[i].bytes)
	}
	return segment{offset: first.offset, bytes: joined}
}
