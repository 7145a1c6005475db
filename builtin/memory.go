package builtin

import (
	"context"
	"fmt"

	"github.com/wasmagent/wasmagent/check"
)

func (s *System) checkMemory() *command {
	return &command{
		name:    "check_memory",
		summary: "the physical memory in use",
		options: thresholds(bytes.shareOf("the memory"), "80%", "90%"),
		about: []string{
			"The value is the memory that programs could not have without swapping. A threshold is in bytes (10GB) or\n" +
				"in percent of the memory (80%).",
			"Performance data: used with the thresholds, available, and committed where the system tells it, in bytes;\n" +
				"used % in percent.",
		},
		example: []string{"warn=75% crit=90%"},
		run:     s.runMemory,
	}
}

func (s *System) runMemory(ctx context.Context, args arguments) (check.Result, error) {
	m, err := s.machine.memory(ctx)
	if err != nil {
		return check.Result{}, err
	}
	r := newReport()
	used := volume{"memory", float64(m.UsedBytes), float64(m.TotalBytes), float64(m.TotalBytes)}
	r.volume(used, "used", args)
	r.data(sized("available", float64(m.AvailableBytes), float64(m.TotalBytes)))
	if m.CommittedBytes != nil && m.CommitLimitBytes != nil {
		r.data(sized("committed", float64(*m.CommittedBytes), float64(*m.CommitLimitBytes)))
	}
	return r.result(used.words()), nil
}

func (s *System) checkSwap() *command {
	return &command{
		name:    "check_swap",
		summary: "the swap space in use",
		options: thresholds(bytes.shareOf("the swap space"), "50%", "80%"),
		about: []string{
			"A threshold is in bytes (1GB) or in percent of the swap space (50%). A machine without swap space is OK,\n" +
				"unless a threshold in bytes says otherwise.",
			"Performance data: used with the thresholds, in bytes; used % in percent.",
		},
		example: []string{"warn=20% crit=50%"},
		run:     s.runSwap,
	}
}

func (s *System) runSwap(ctx context.Context, args arguments) (check.Result, error) {
	m, err := s.machine.swap(ctx)
	if err != nil {
		return check.Result{}, err
	}
	r := newReport()
	used := volume{"swap", float64(m.UsedBytes), float64(m.TotalBytes), float64(m.TotalBytes)}
	r.volume(used, "used", args)
	return r.result(used.words()), nil
}

// A volume is how much of something that holds bytes is used.
type volume struct {
	name  string
	used  float64 // bytes
	total float64 // bytes
	whole float64 // bytes that a percentage is of; for file systems less than total
}

func (v volume) percent() float64 {
	if v.whole <= 0 {
		return 0
	}
	return 100 * v.used / v.whole
}

func (v volume) words() string {
	if v.total <= 0 {
		return v.name + " is not there: its size is 0"
	}
	return fmt.Sprintf("%s %s used (%s of %s)", v.name, humanPercent(v.percent()), humanBytes(v.used), humanBytes(v.total))
}

// volume judges a volume by warn and crit and adds it as bytes and as percent.
func (r *report) volume(v volume, label string, args arguments) {
	p := sized(label, v.used, v.total)
	warn, crit := one[threshold](args, "warn"), one[threshold](args, "crit")
	p.Warn, p.Crit = whole(warn.of(v.whole)), whole(crit.of(v.whole))
	r.value(v.words(), p)
	if v.whole > 0 {
		r.data(share(label+" %", v.percent(), warn.percentOf(v.whole), crit.percentOf(v.whole)))
	}
}

// sized is a number of bytes out of total as performance data.
func sized(label string, v, total float64) check.Perf {
	return check.Perf{Label: label, Value: v, Unit: "B", Min: new(0.0), Max: new(total)}
}
