package facts

import (
	"context"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

// CPU is what the processors did.
type CPU struct {
	// IntervalSeconds is the time that all the ratios are averages over.
	IntervalSeconds float64 `json:"interval_seconds"`
	// LogicalCores is the number of processors that the system schedules on.
	LogicalCores int `json:"logical_cores"`
	// PhysicalCores is the number of cores, their hardware threads not counted.
	PhysicalCores *int `json:"physical_cores,omitempty"`
	// Model is the first processor's name.
	Model string `json:"model,omitempty"`
	// All is all cores together.
	All Core `json:"all"`
	// Cores is each core, in the system's order; empty where the system does not tell them apart.
	Cores []Core `json:"cores"`
}

// Core is what one processor did, or all of them.
type Core struct {
	// Name is "cpu0", "cpu1" and so on, and "all" for all cores together.
	Name string `json:"name"`
	// BusyRatio is the share of time spent neither idle nor waiting for I/O; what the hypervisor gave to others counts as busy.
	BusyRatio float64 `json:"busy_ratio"`
	// ModeRatio is the share of time spent in each mode during the interval. The modes but guest add up to 1.
	ModeRatio Modes `json:"mode_ratio"`
	// ModeSeconds is the time spent in each mode since the system started.
	ModeSeconds Modes `json:"mode_seconds"`
}

// Modes is processor time split by what it was spent on.
type Modes struct {
	// User is time in programs, the niced ones left out where the system counts those apart.
	User float64 `json:"user"`
	// System is time in the kernel.
	System float64 `json:"system"`
	// Idle is time with nothing to do.
	Idle float64 `json:"idle"`
	// Nice is time in programs of low priority.
	Nice *float64 `json:"nice,omitempty"`
	// Iowait is idle time while a disk was waited for.
	Iowait *float64 `json:"iowait,omitempty"`
	// Irq is time spent serving interrupts.
	Irq *float64 `json:"irq,omitempty"`
	// Softirq is time spent serving deferred interrupts.
	Softirq *float64 `json:"softirq,omitempty"`
	// Steal is time that the hypervisor gave to others.
	Steal *float64 `json:"steal,omitempty"`
	// Guest is time spent running virtual machines; it is also part of user or nice.
	Guest *float64 `json:"guest,omitempty"`
}

// A sampler measures processor time between samples. It serves one reading at
// a time.
//
// A reading reaches back to the newest kept sample that is at least settled
// old, or else to the oldest. It is kept itself unless the newest kept one is
// younger than settled. So two readers that come shortly after one another do
// not shorten each other's interval, and two samples are enough.
type sampler struct {
	kept []sample // at most two, the older first

	identified bool
	model      string
	physical   *int
}

const (
	settled  = 5 * time.Second        // the age from which on a sample is good enough
	shortest = 100 * time.Millisecond // the least interval that says anything
)

// A sample is the processor times of every core at one time.
type sample struct {
	at    time.Time
	cores []coreTimes
}

func newSampler() *sampler {
	s := &sampler{}
	if first, err := takeSample(context.Background()); err == nil {
		s.kept = append(s.kept, first)
	}
	return s
}

func (s *sampler) read(ctx context.Context) (CPU, error) {
	if len(s.kept) == 0 {
		first, err := takeSample(ctx)
		if err != nil {
			return CPU{}, err
		}
		s.kept = append(s.kept, first)
	}
	if err := wait(ctx, shortest-time.Since(s.base(time.Now()).at)); err != nil {
		return CPU{}, err
	}
	last, err := takeSample(ctx)
	if err != nil {
		return CPU{}, err
	}
	base := s.base(last.at)
	s.keep(last)
	s.identify(ctx)
	c := since(base, last)
	c.Model, c.PhysicalCores = s.model, s.physical
	return c, nil
}

// base is the sample that a reading at that time reaches back to.
func (s *sampler) base(at time.Time) sample {
	newest := s.kept[len(s.kept)-1]
	if at.Sub(newest.at) >= settled {
		return newest
	}
	return s.kept[0]
}

func (s *sampler) keep(last sample) {
	newest := s.kept[len(s.kept)-1]
	if last.at.Sub(newest.at) >= settled {
		s.kept = []sample{newest, last}
	}
}

// identify asks once what the processors are, which is slow.
func (s *sampler) identify(ctx context.Context) {
	if s.identified {
		return
	}
	s.identified = true
	if n, err := cpu.CountsWithContext(ctx, false); err == nil && n > 0 {
		s.physical = &n
	}
	if info, err := cpu.InfoWithContext(ctx); err == nil && len(info) > 0 {
		s.model = strings.TrimSpace(info[0].ModelName)
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// since is what the processors did from one sample to the next.
func since(base, last sample) CPU {
	earlier := make(map[string]modeTimes, len(base.cores))
	for _, c := range base.cores {
		earlier[c.name] = c.times
	}
	c := CPU{
		IntervalSeconds: last.at.Sub(base.at).Seconds(),
		LogicalCores:    max(len(last.cores), goruntime.NumCPU()),
		Cores:           make([]Core, 0, len(last.cores)),
	}
	var total, spent modeTimes
	for _, core := range last.cores {
		// A core that was not there earlier counts from when it was started.
		delta := core.times.less(earlier[core.name])
		if core.name != whole {
			c.Cores = append(c.Cores, newCore(core.name, core.times, delta))
		}
		total.add(core.times)
		spent.add(delta)
	}
	c.All = newCore("all", total, spent)
	return c
}

func newCore(name string, total, spent modeTimes) Core {
	share := spent.shares()
	return Core{
		Name:        name,
		BusyRatio:   share.busy(),
		ModeRatio:   share.modes(),
		ModeSeconds: total.modes(),
	}
}
