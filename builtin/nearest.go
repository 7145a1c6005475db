package builtin

import (
	"slices"
	"strings"
)

// nearest is the name that differs least from what was typed, or "" if none is
// near enough to be what was meant.
func nearest(typed string, names []string) string {
	best, least := "", 1+max(1, min(len(typed), 64)/3)
	for _, name := range names {
		if d := distance(fold(typed), fold(name)); d < least && len(name) > 1 {
			best, least = name, d
		}
	}
	return best
}

// near lists the names that resemble what was typed, or share a word with it,
// most alike first; at most limit, and the first ones if none is alike.
func near(typed string, names []string, limit int) []string {
	sorted := slices.Clone(names)
	rank := func(name string) int {
		if strings.Contains(fold(name), fold(typed)) {
			return 0
		}
		return 1 + distance(fold(typed), fold(name))
	}
	slices.SortStableFunc(sorted, func(a, b string) int { return rank(a) - rank(b) })
	return sorted[:min(limit, len(sorted))]
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour to make a into b (optimal string alignment), looking at the
// first 64 letters of each.
func distance(a, b string) int {
	s, t := letters(a), letters(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			change := 0
			if s[i-1] != t[j-1] {
				change = 1
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}

func letters(s string) []rune {
	r := []rune(s)
	return r[:min(len(r), 64)]
}
