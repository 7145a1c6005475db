package schedule_test

import (
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/schedule"
)

func TestChecksRunAtTheirIntervals(t *testing.T) {
	t.Parallel()
	a := &agent{}
	scheduled(t, schedule.Config{}, a, func(t *testing.T, s *schedule.Scheduler) {
		begin := a.clock()
		pass(10 * time.Second)
		set(t, s, each("minute", time.Minute), each("quarter", 15*time.Second))
		pass(2*time.Minute - 10*time.Second)
		same(t, "minute", a.times("minute", begin), "1m0s 2m0s")
		same(t, "quarter", a.times("quarter", begin), "15s 30s 45s 1m0s 1m15s 1m30s 1m45s 2m0s")
	})
}
