package builtin_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/builtin"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	h := builtin.NewHistory()
	for s := range 200_000 { // more than two days, a value a second
		h.Add(time.Duration(s)*time.Second, float64(s))
	}
	now := 199_999 * time.Second
	for span, want := range map[time.Duration]struct {
		mean float64
		n    int
	}{
		time.Second:      {199_999, 1},
		time.Minute:      {199_969.5, 60},
		10 * time.Minute: {199_699.5, 600},
		time.Hour:        {198_219.5, 3560}, // the newest minute has 20 seconds yet
		24 * time.Hour:   {156_819.5, 86_360},
		48 * time.Hour:   {156_819.5, 86_360},
	} {
		if mean, n := h.Mean(now, span); mean != want.mean || n != want.n {
			t.Errorf("%s: %v of %d, want %v of %d", span, mean, n, want.mean, want.n)
		}
	}
	if _, n := h.Mean(now+time.Hour, time.Minute); n != 0 {
		t.Errorf("%d samples after an hour of silence", n)
	}
}

// A trail reaches back as far as it can in a bounded number of readings.
func TestTrail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var trail builtin.Trail
		read := growing(func(s float64) float64 { return 2 * s })
		growth, over, err := trail.Span(t.Context(), time.Minute, read)
		if growth != 1 || over != 500*time.Millisecond || err != nil {
			t.Errorf("the first reading: %v over %s, %v", growth, over, err)
		}
		for range 7200 {
			time.Sleep(time.Second)
			if growth, over, err = trail.Span(t.Context(), 5*time.Minute, read); err != nil || growth < 2*over.Seconds()-0.001 || growth > 2*over.Seconds()+0.001 {
				t.Fatalf("%v over %s, %v", growth, over, err)
			}
		}
		if over < 4*time.Minute || over > 6*time.Minute {
			t.Errorf("five minutes are %s", over)
		}
		if n := trail.Points(); n > 128 {
			t.Errorf("%d readings are kept", n)
		}
		if _, _, err := trail.Span(t.Context(), time.Minute, func(context.Context) (float64, error) { return 0, errNoFigure }); !errors.Is(err, errNoFigure) {
			t.Error(err)
		}
	})
}
