package builtin

import (
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/internal/nearest"
)

// A menu is what the names on a command line may stand for.
type menu[T any] struct {
	kind  string // what one of them is called in errors
	all   []T
	name  func(T) string        // unique
	takes func(pattern, T) bool // whether a name stands for one of them
}

// choose picks what the names stand for, each once, in their order. A name
// that stands for nothing is an error; all of them are reported.
func (m menu[T]) choose(names []pattern) ([]T, error) {
	var chosen []T
	var missing mistakes
	seen := map[string]bool{}
	for _, p := range names {
		found := false
		for _, item := range m.all {
			if !m.takes(p, item) {
				continue
			}
			found = true
			if name := m.name(item); !seen[name] {
				seen[name] = true
				chosen = append(chosen, item)
			}
		}
		if !found {
			missing = append(missing, m.absent(p))
		}
	}
	if len(missing) > 0 {
		return nil, missing
	}
	return chosen, nil
}

// absent is the error for a name that stands for nothing.
func (m menu[T]) absent(p pattern) error {
	if len(m.all) == 0 {
		return fmt.Errorf("no %s %q: there is none", m.kind, string(p))
	}
	names := make([]string, len(m.all))
	for i, item := range m.all {
		names[i] = m.name(item)
	}
	return fmt.Errorf("no %s %q; there are: %s", m.kind, string(p), strings.Join(nearest.Sorted(string(p), names, 8), ", "))
}
