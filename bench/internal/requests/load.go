//go:build linux

package requests

import (
	"context"
	"sync"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/report"
)

// A sample is what came of asking one server. Samples of the same can be added.
type sample struct {
	times   []time.Duration // of each request that was answered
	elapsed time.Duration
	cpu     time.Duration // of the server
	failed  int           // requests that were not answered, or wrongly
	failure error         // of one of them
}

// settle is how long processes have to end whose request was answered.
const settle = 50 * time.Millisecond

// load has clients ask for some time, each one request after the other.
func (p *process) load(ctx context.Context, d time.Duration, clients []func() error) (s sample, err error) {
	before, err := p.cpu()
	if err != nil {
		return s, err
	}
	s.ask(ctx, d, clients)
	time.Sleep(settle)
	after, err := p.cpu()
	s.cpu = after - before
	return s, err
}

// ask asks, and adds what came of it.
func (s *sample) ask(ctx context.Context, d time.Duration, clients []func() error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var all sync.WaitGroup
	parts := make([]sample, len(clients))
	began := time.Now()
	for i, ask := range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				parts[i].once(ask)
			}
		})
	}
	all.Wait()
	s.elapsed += time.Since(began)
	for _, part := range parts {
		s.add(part)
	}
}

// once asks one time.
func (s *sample) once(ask func() error) {
	began := time.Now()
	if err := ask(); err != nil {
		s.failed++
		s.failure = err
		return
	}
	s.times = append(s.times, time.Since(began))
}

func (s *sample) add(other sample) {
	s.times = append(s.times, other.times...)
	s.elapsed += other.elapsed
	s.cpu += other.cpu
	s.failed += other.failed
	if other.failure != nil {
		s.failure = other.failure
	}
}

// rate is how many requests were answered in a second.
func (s sample) rate() float64 { return report.Ratio(float64(len(s.times)), s.elapsed.Seconds()) }

// each is the time on processors that the server took for a request.
func (s sample) each() time.Duration {
	if len(s.times) == 0 {
		return 0
	}
	return s.cpu / time.Duration(len(s.times))
}

// percentile is the time that n of 100 requests took at most.
func (s sample) percentile(n int) time.Duration { return report.Percentile(s.times, n) }
