package builtin

import (
	"context"
	"fmt"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

func (s *System) checkCPU() *command {
	return &command{
		name:    "check_cpu",
		summary: "the share of time that the processors are busy",
		options: append(thresholds(percent, "80", "90"), since()),
		about: []string{
			"The value is the percentage over all processors together. The time span is measured between this call\n" +
				"and the earlier one that fits TIME best; the first call measures for half a second.",
			"Performance data: total with the thresholds, then the modes and each processor, all in percent.",
		},
		example: []string{"warn=70 crit=95 time=5m"},
		run:     s.runCPU,
	}
}

func (s *System) runCPU(ctx context.Context, args arguments) (check.Result, error) {
	from, to, err := s.cpu.span(ctx, one[time.Duration](args, "time"), s.machine.cpu)
	if err != nil {
		return check.Result{}, err
	}
	before, after := from.value.All.ModeSeconds, to.value.All.ModeSeconds
	busy, ok := busyPercent(before, after)
	if !ok {
		return check.Result{}, fmt.Errorf("processor times did not advance in %s", to.at.Sub(from.at))
	}
	r := newReport()
	words := fmt.Sprintf("processors %s busy over %s", humanPercent(busy), humanTime(to.at.Sub(from.at).Seconds()))
	r.value(words, share("total", busy, one[threshold](args, "warn"), one[threshold](args, "crit")))
	r.data(modePerf(before, after)...)
	r.data(corePerf(from.value.Cores, to.value.Cores)...)
	return r.result(words), nil
}

// share is a percentage as performance data.
func share(label string, v float64, warn, crit threshold) check.Perf {
	return check.Perf{Label: label, Value: tidy(v), Unit: "%", Warn: warn.of(100), Crit: crit.of(100), Min: new(0.0), Max: new(100.0)}
}

// busyPercent is how much of the time between two readings was neither idle
// nor spent waiting for a disk; ok is false if no time passed between them.
func busyPercent(before, after facts.Modes) (p float64, ok bool) {
	total := allSeconds(after) - allSeconds(before)
	if total <= 0 {
		return 0, false
	}
	idle := idleSeconds(after) - idleSeconds(before)
	return min(100, max(0, 100*(total-idle)/total)), true
}

func idleSeconds(m facts.Modes) float64 { return m.Idle + or(m.Iowait, 0) }

// allSeconds leaves guest out, which is part of user.
func allSeconds(m facts.Modes) float64 {
	return idleSeconds(m) + m.User + privilegedSeconds(m) + or(m.Nice, 0) + or(m.Steal, 0)
}

func privilegedSeconds(m facts.Modes) float64 { return m.System + or(m.Irq, 0) + or(m.Softirq, 0) }

// or is what p points to, or v.
func or[T any](p *T, v T) T {
	if p != nil {
		return *p
	}
	return v
}

func modePerf(before, after facts.Modes) []check.Perf {
	total := allSeconds(after) - allSeconds(before)
	modes := []struct {
		name          string
		before, after *float64
	}{
		{"user", &before.User, &after.User}, {"system", &before.System, &after.System},
		{"iowait", before.Iowait, after.Iowait}, {"steal", before.Steal, after.Steal},
	}
	var perf []check.Perf
	for _, m := range modes {
		if m.before != nil && m.after != nil {
			perf = append(perf, share(m.name, max(0, 100*(*m.after-*m.before)/total), threshold{}, threshold{}))
		}
	}
	return perf
}

// corePerf is each processor that both readings have.
func corePerf(before, after []facts.Core) []check.Perf {
	earlier := make(map[string]facts.Modes, len(before))
	for _, c := range before {
		earlier[c.Name] = c.ModeSeconds
	}
	var perf []check.Perf
	for _, c := range after {
		if b, ok := earlier[c.Name]; ok {
			if busy, ok := busyPercent(b, c.ModeSeconds); ok {
				perf = append(perf, share(c.Name, busy, threshold{}, threshold{}))
			}
		}
	}
	return perf
}
