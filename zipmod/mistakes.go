package zipmod

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// maxMistakes bounds the length of an error, which a hostile module controls.
const maxMistakes = 100

// mistakes collects what is wrong with a module. The zero value is ready.
type mistakes struct {
	list  []mistake
	count int
}

// A mistake is one thing that is wrong, with its offset in the file where it
// has one.
type mistake struct {
	at  int
	err error
}

// full tells whether further mistakes are only counted.
func (m *mistakes) full() bool { return m.count >= maxMistakes }

func (m *mistakes) add(at int, err error) {
	if !m.full() {
		m.list = append(m.list, mistake{at, err})
	}
	m.count++
}

// err joins the mistakes in the order of the file; it is nil if there is none.
func (m *mistakes) err() error {
	slices.SortStableFunc(m.list, func(a, b mistake) int { return cmp.Compare(a.at, b.at) })
	errs := make([]error, 0, len(m.list)+1)
	for _, one := range m.list {
		errs = append(errs, one.err)
	}
	if rest := m.count - len(m.list); rest > 0 {
		errs = append(errs, fmt.Errorf("and %d more mistakes; correct these first", rest))
	}
	return errors.Join(errs...)
}
