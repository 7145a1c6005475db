// Package nearest finds what a person meant who mistyped a name.
//
// Names are compared letter by letter, ignoring case. What was typed may be
// hostile: the work for each known name is bounded, however long both are.
//
// The package imports only the standard library, holds no state and is safe
// for concurrent use.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// maxLetters is the most letters of a name that are compared: the work for each
// known name is at most about its square.
const maxLetters = 64

// A candidate is a known name and its distance from what was typed.
type candidate struct {
	name     string
	distance int
}

// To returns the known names that typed may be a slip of, the nearest first and each
// once: at most a third of its letters would have to change, one at least, and
// never as many as the name has. Nothing is near to more than 64 letters.
func To(typed string, known []string) []string {
	letters := []rune(strings.ToLower(typed))
	if len(letters) > maxLetters {
		return nil
	}
	var near []candidate
	for _, name := range known {
		other := []rune(strings.ToLower(name))
		limit := min(max(1, len(letters)/3), len(other)-1)
		if d := distance(letters, other, limit); d <= limit {
			near = append(near, candidate{name, d})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	return names(slices.Compact(near))
}

// Sorted returns the first of the known names, at most so many, when those come first that
// hold what was typed, and then those that are most like it by their first 64
// letters. Names that are alike in that keep their order.
func Sorted(typed string, known []string, most int) []string {
	typed = strings.ToLower(typed)
	list := make([]candidate, len(known))
	for i, name := range known {
		list[i] = candidate{name: name}
		if other := strings.ToLower(name); !strings.Contains(other, typed) {
			list[i].distance = 1 + distance(beginning(typed), beginning(other), maxLetters)
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	return names(list[:min(most, len(list))])
}

func names(list []candidate) []string {
	var names []string
	for _, c := range list {
		names = append(names, c.name)
	}
	return names
}

func beginning(s string) []rune {
	letters := []rune(s)
	return letters[:min(len(letters), maxLetters)]
}

// distance is how many letters have to be inserted, removed, replaced or
// swapped with their neighbour to make a into b; anything above limit is
// limit+1. It fills in the table of optimal string alignment, of which three
// rows are kept. a is at most maxLetters long, and limit no larger than that.
// https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance
func distance(a, b []rune, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	var rows [3][2*maxLetters + 1]uint8
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
	return min(int(last[len(b)]), limit+1)
}

func differ(a, b rune) uint8 {
	if a == b {
		return 0
	}
	return 1
}
