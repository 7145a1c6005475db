package facts

import (
	"math"
	"testing"
	"time"
)

// Readers that come shortly after one another do not shorten each other's
// interval.
func TestSamplerBase(t *testing.T) {
	t.Parallel()
	start := time.Unix(1e9, 0)
	s := sampler{kept: []sample{{at: start}}}
	for _, read := range []struct{ at, want float64 }{ // seconds since the start
		{0.1, 0},
		{4.9, 0},
		{60, 0},
		{60.2, 0},
		{64.9, 0},
		{65, 60},
		{65.1, 60},
		{69.9, 60},
		{70.1, 65},
		{3600, 70.1},
		{3601, 70.1},
		{3605, 3600},
	} {
		at := start.Add(time.Duration(read.at * float64(time.Second)))
		if got := s.base(at).at.Sub(start).Seconds(); got != read.want {
			t.Errorf("a reading at %v s reaches back to %v s, want %v s", read.at, got, read.want)
		}
		if s.keep(sample{at: at}); len(s.kept) > 2 {
			t.Fatalf("%d samples kept", len(s.kept))
		}
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	at := time.Unix(1e9, 0)
	base := sample{at, []coreTimes{
		{"cpu0", modeTimes{modeUser: 10, modeIdle: 100, modeIowait: 5}},
		{"cpu1", modeTimes{modeUser: 10, modeIdle: 100}},
	}}
	last := sample{at.Add(4 * time.Second), []coreTimes{
		{"cpu0", modeTimes{modeUser: 11, modeIdle: 103, modeIowait: 4}}, // iowait went backwards
		{"cpu1", modeTimes{modeUser: 10, modeIdle: 100}},                // halted
		{"cpu2", modeTimes{modeUser: 3, modeIdle: 1}},                   // new
	}}
	c := since(base, last)
	if c.IntervalSeconds != 4 || len(c.Cores) != 3 || c.LogicalCores < 3 {
		t.Errorf("interval %v s, %d cores, %d logical cores", c.IntervalSeconds, len(c.Cores), c.LogicalCores)
	}
	for i, want := range []float64{0.25, 0, 0.75} {
		if got := c.Cores[i].BusyRatio; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s is busy %v, want %v", c.Cores[i].Name, got, want)
		}
	}
	if got := c.All.BusyRatio; math.Abs(got-0.5) > 1e-9 {
		t.Errorf("all are busy %v, want 0.5", got)
	}
	if got := c.All.ModeSeconds.User; got != 24 {
		t.Errorf("all spent %v s in programs, want 24", got)
	}
}

func TestSinceOfAWhole(t *testing.T) {
	t.Parallel()
	at := time.Unix(1e9, 0)
	c := since(
		sample{at, []coreTimes{{whole, modeTimes{modeIdle: 1}}}},
		sample{at, []coreTimes{{whole, modeTimes{modeIdle: 2, modeSystem: 1}}}})
	if len(c.Cores) != 0 || c.Cores == nil || c.All.BusyRatio != 0.5 {
		t.Errorf("cores that are not told apart: %+v", c)
	}
}
