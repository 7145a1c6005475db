package prepare

import (
	"cmp"
	"slices"
)

// A Part of an image is the bytes that memory holds from an offset on.
type Part struct {
	Offset uint64
	Bytes  []byte
}

// end is where the bytes end.
func (d Part) end() uint64 { return d.Offset + uint64(len(d.Bytes)) }

// dataGap is the most zero bytes that are kept to make one part of two.
const dataGap = 32

// maxSpread is the most bytes that an image spans beyond four times what it holds: a few
// bytes at both ends of memory are no reason to keep all that is between them.
const maxSpread = 256 << 10

// lift takes the data segments out of a module and returns what they make of memory:
// Go's linker emits 30,000 of them for a program of 2.5 MB. Segments that are not all
// active at constant offsets within that many bytes of memory, or that code names,
// stay where they are, and so do those that lie far apart.
func lift(m *module, profiles []profile, memory uint64) []Part {
	if !liftable(m.data, memory) || slices.ContainsFunc(profiles, func(p profile) bool { return p.names }) {
		return nil
	}
	list := joined(m.data)
	if spread(list) {
		return nil
	}
	m.data, m.counted = nil, nil
	return list
}

// spread tells whether an image spans much more than it holds.
func spread(list []Part) bool {
	if len(list) == 0 {
		return false
	}
	holds := uint64(0)
	for _, part := range list {
		holds += uint64(len(part.Bytes))
	}
	return list[len(list)-1].end()-list[0].Offset > maxSpread+4*holds
}

func liftable(segments []segment, memory uint64) bool {
	return !slices.ContainsFunc(segments, func(s segment) bool {
		return s.passive || s.offset.op != opI32Const || s.placed().end() > memory
	})
}

// placed is what an active segment at a constant offset makes of memory.
func (s segment) placed() Part { return Part{uint64(uint32(s.offset.value)), s.bytes} }

// joined is what segments make of memory, in order and apart from one another.
func joined(segments []segment) []Part {
	order := make([]int, len(segments))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(segments[a].placed().Offset, segments[b].placed().Offset)
	})
	var list []Part
	for len(order) > 0 {
		n, end := stretch(segments, order)
		list = append(list, join(segments, order[:n], end))
		order = order[n:]
	}
	return list
}

// stretch is the number of segments, in order, that lie close together, and where
// the last of them ends.
func stretch(segments []segment, order []int) (n int, end uint64) {
	for _, i := range order {
		d := segments[i].placed()
		if n > 0 && d.Offset > end+dataGap {
			break
		}
		end = max(end, d.end())
		n++
	}
	return n, end
}

// join makes one part of several segments, which come in order of their offsets.
// Where they overlap, the one that the module has last wins.
func join(segments []segment, order []int, end uint64) Part {
	first := segments[order[0]].placed()
	if len(order) == 1 {
		return first
	}
	all := Part{first.Offset, make([]byte, end-first.Offset)}
	slices.Sort(order)
	for _, i := range order {
		d := segments[i].placed()
		copy(all.Bytes[d.Offset-all.Offset:], d.Bytes)
	}
	return all
}
