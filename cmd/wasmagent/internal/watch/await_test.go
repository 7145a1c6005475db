package watch

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestAwait writes to a file over and over, by a clock of its own: it is told once,
// when the file has been still for a while.
func TestAwait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const settle = 100 * time.Millisecond
		events, began := make(chan struct{}, 1), time.Now()
		var size, told atomic.Int64
		var times []time.Duration
		see := func() sight { return sight{"f": {"f": {size: size.Load()}}} }
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			await(events, settle, func() (sight, bool) { return see(), size.Load() != told.Load() }, func(s sight) {
				told.Store(s["f"]["f"].size)
				times = append(times, time.Since(began))
			})
		}()
		write := func(n int) {
			for range n {
				size.Add(1)
				select {
				case events <- struct{}{}:
				default:
				}
				time.Sleep(30 * time.Millisecond)
			}
			synctest.Wait()
		}
		write(20) // 600 ms
		time.Sleep(time.Second)
		events <- struct{}{} // with nothing new
		time.Sleep(time.Second)
		write(1)
		time.Sleep(time.Second)
		close(events)
		<-ended
		if len(times) != 2 || told.Load() != 21 || times[0] < 570*time.Millisecond+settle/2 || times[0] > 900*time.Millisecond {
			t.Errorf("told at %v, at last of %d", times, told.Load())
		}
	})
}
