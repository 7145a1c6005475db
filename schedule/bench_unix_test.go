//go:build unix

package schedule_test

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkMinute is what the scheduler takes of the processors in a minute in which
// a thousand checks run once each. It lasts a minute.
func BenchmarkMinute(b *testing.B) {
	for b.Loop() {
		var runs atomic.Int64
		serving(b, time.Minute, func() { runs.Add(1) })
		before := processors(b)
		time.Sleep(time.Minute)
		b.ReportMetric(float64((processors(b)-before).Microseconds())/1000, "cpu-ms/min")
		b.ReportMetric(float64(runs.Load()), "runs")
	}
}

// processors is the time that this process has had of the processors.
func processors(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
