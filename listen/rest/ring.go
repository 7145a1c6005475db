package rest

// A ring keeps the last of what is added to it: so many entries, and so many bytes
// of them. It is not safe for concurrent use.
type ring[T any] struct {
	keep, size int // bounds of entries and of bytes
	entries    []sized[T]
	bytes      int
}

type sized[T any] struct {
	entry T
	bytes int
}

func (r *ring[T]) add(entry T, bytes int) {
	r.entries = append(r.entries, sized[T]{entry, bytes})
	r.bytes += bytes
	for len(r.entries) > r.keep || r.bytes > r.size && len(r.entries) > 1 {
		r.bytes -= r.entries[0].bytes
		r.entries[0] = sized[T]{}
		r.entries = r.entries[1:]
	}
}

// list are the entries of which wanted is true, the oldest first.
func (r *ring[T]) list(wanted func(T) bool) []T {
	var list []T
	for _, s := range r.entries {
		if wanted(s.entry) {
			list = append(list, s.entry)
		}
	}
	return list
}

func (r *ring[T]) clear() { r.entries, r.bytes = nil, 0 }
