package zipmod

import (
	"cmp"
	"errors"
	"slices"
)

// maxMistakes bounds the length of an error, which a hostile module controls.
const maxMistakes = 100

// mistakes collects what is wrong with a module. The zero value is ready.
type mistakes []mistake

// A mistake is one thing that is wrong, with its offset in the file where it
// has one.
type mistake struct {
	at  int
	err error
}

// full tells that there are more mistakes than anybody reads, so that looking
// for further ones can end.
func (m mistakes) full() bool { return len(m) > maxMistakes }

func (m *mistakes) add(at int, err error) {
	if !m.full() {
		*m = append(*m, mistake{at, err})
	}
}

// err joins the mistakes in the order of the file; it is nil if there is none.
func (m mistakes) err() error {
	slices.SortStableFunc(m, func(a, b mistake) int { return cmp.Compare(a.at, b.at) })
	var errs []error
	for _, one := range m[:min(len(m), maxMistakes)] {
		errs = append(errs, one.err)
	}
	if m.full() {
		errs = append(errs, errors.New("and more mistakes; correct these first"))
	}
	return errors.Join(errs...)
}
