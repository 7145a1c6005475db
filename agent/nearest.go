package agent

import (
	"cmp"
	"iter"
	"slices"
)

// maxNearest is how many names are suggested in place of a wrong one.
const maxNearest = 3

// maxCompared is the most bytes of a name that are compared: the work for each
// known name is at most its square.
const maxCompared = 64

// nearest returns the names of the commands that are nearest to what was asked
// for: at most a third of it would have to change.
func nearest(asked string, commands iter.Seq[*command]) []string {
	asked = fold(asked)
	if len(asked) > maxCompared {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	allowed := max(1, len(asked)/3)
	for c := range commands {
		for _, name := range c.names {
			if d := distance(asked, fold(name), allowed); d <= allowed {
				near = append(near, candidate{name, d})
			}
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	near = slices.Compact(near)
	var names []string
	for _, c := range near[:min(len(near), maxNearest)] {
		names = append(names, c.name)
	}
	return names
}

// distance is how many bytes have to be inserted, removed, replaced or swapped
// with their neighbour to make a into b; anything above limit is limit+1. a is
// at most maxCompared bytes long, and limit less than that.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	// Three rows of the table of optimal string alignment.
	var rows [3][2 * maxCompared]uint8
	before, last, row := rows[0][:len(b)+1], rows[1][:len(b)+1], rows[2][:len(b)+1]
	for j := range last {
		last[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		row[0] = uint8(i)
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		if int(slices.Min(row)) > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return int(last[len(b)])
}

func differ(a, b byte) uint8 {
	if a == b {
		return 0
	}
	return 1
}
