package runtime

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestTurns has one compile and others wait, and wants each to come when it is its turn.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, inTurn)
}

func inTurn(t *testing.T) {
	q := &turns{free: 1}
	if err := q.wait(t.Context(), turn{}); err != nil {
		t.Fatal(err)
	}
	var often atomic.Uint64
	often.Store(99)
	came := make(chan string)
	for name, row := range map[string]turn{
		"large":           {instructions: 5000},
		"small":           {instructions: 100},
		"large and used":  {instructions: 5000, runs: &often},
		"urgent":          {instructions: 1 << 20, urgent: true},
		"urgent and less": {instructions: 1 << 10, urgent: true},
	} {
		go func() {
			if err := q.wait(t.Context(), row); err != nil {
				name = err.Error()
			}
			came <- name
		}()
	}
	synctest.Wait() // until all of them wait
	var order []string
	for range 5 {
		q.end()
		order = append(order, <-came)
	}
	if want := []string{"urgent and less", "urgent", "large and used", "small", "large"}; !slices.Equal(order, want) {
		t.Errorf("came %q; want %q", order, want)
	}
}

// TestTurnGivenUp gives turns up, before they came and when they have come, and wants
// the next one to have them.
func TestTurnGivenUp(t *testing.T) {
	t.Parallel()
	q := &turns{free: 1}
	if err := q.wait(t.Context(), turn{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if err := q.wait(ctx, turn{}); err != gone {
		t.Errorf("gave up with %v; want %v", err, gone)
	}
	q.end()
	for range 100 { // whether it has come or is given up is a matter of chance
		if q.wait(ctx, turn{}) == nil {
			q.end()
		}
	}
	if err := q.wait(t.Context(), turn{}); err != nil || len(q.waiting) != 0 {
		t.Errorf("afterwards: %v, with %d waiting", err, len(q.waiting))
	}
}
