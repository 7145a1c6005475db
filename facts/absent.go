package facts

// given is a figure that is there if known holds, and absent otherwise.
func given[T any](known bool, v T) *T {
	if !known {
		return nil
	}
	return &v
}

// ratio is the share of part in whole: within 0 and 1, and 0 of nothing.
func ratio(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return min(float64(part)/float64(whole), 1)
}

// less is a-b, and 0 where b is the larger: figures that belong together are
// not always read together.
func less(a, b uint64) uint64 { return a - min(a, b) }
