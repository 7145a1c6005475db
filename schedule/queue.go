package schedule

import "container/heap"

// A queue holds the checks that wait, the one that is due first at its head. A
// check that is never due is at its end.
type queue []*entry

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	switch {
	case a.due.IsZero() || b.due.IsZero():
		return !a.due.IsZero()
	case !a.due.Equal(b.due):
		return a.due.Before(b.due)
	}
	return a.plan.Name < b.plan.Name
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push is heap's; see push.
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.place = len(*q)
	*q = append(*q, e)
}

// Pop is heap's; see remove.
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q, e.place = (*q)[:last], -1
	return e
}

func (q *queue) push(e *entry)   { heap.Push(q, e) }
func (q *queue) remove(e *entry) { heap.Remove(q, e.place) }
func (q *queue) fix(e *entry)    { heap.Fix(q, e.place) }

// head is the check that is due first; nil if none is ever due.
func (q queue) head() *entry {
	if len(q) == 0 || q[0].due.IsZero() {
		return nil
	}
	return q[0]
}
