package builtin

import (
	"context"
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/check"
)

func (s *System) checkLoad() *command {
	warnCrit := thresholds(plain.shareOf("the processors"), "150%,125%,100%", "400%,300%,200%")
	for i := range warnCrit {
		warnCrit[i].value = "RANGES"
		warnCrit[i].parse = threeThresholds
		warnCrit[i].help = strings.Replace(warnCrit[i].help, "this range", "these ranges", 1)
	}
	return &command{
		name:    "check_load",
		summary: "the tasks that run or wait to, on average over 1, 5 and 15 minutes",
		options: warnCrit,
		about: []string{
			"RANGES is one range for all three averages, or three with commas between them. A threshold is a load (4)\n" +
				"or a percentage of the processors: on four of them 150% is a load of 6.",
			"Performance data: load1, load5 and load15 with the thresholds.",
		},
		example: []string{"warn=8,6,4 crit=400%"},
		run:     s.runLoad,
	}
}

// threeThresholds reads one threshold for all load averages, or one for each.
func threeThresholds(s string) (any, error) {
	parts := strings.Split(s, ",")
	if len(parts) == 1 {
		parts = []string{s, s, s}
	}
	if len(parts) != 3 {
		return nil, fmt.Errorf("%q is neither one range nor three", s)
	}
	var three [3]threshold
	for i, part := range parts {
		t, err := plain.shareOf("the processors").threshold(part)
		if err != nil {
			return nil, err
		}
		three[i] = t.(threshold)
	}
	return three, nil
}

func (s *System) runLoad(ctx context.Context, args arguments) (check.Result, error) {
	l, err := s.machine.load(ctx)
	if err != nil {
		return check.Result{}, err
	}
	r := newReport()
	warn, crit := one[[3]threshold](args, "warn"), one[[3]threshold](args, "crit")
	cores := float64(l.LogicalCores)
	for i, average := range []float64{l.Load1, l.Load5, l.Load15} {
		label := [...]string{"load1", "load5", "load15"}[i]
		r.value(fmt.Sprintf("%s %.2f", label, average), check.Perf{
			Label: label, Value: average, Warn: warn[i].of(cores), Crit: crit[i].of(cores), Min: new(0.0),
		})
	}
	return r.result(fmt.Sprintf("load %.2f, %.2f, %.2f on %d processors", l.Load1, l.Load5, l.Load15, l.LogicalCores)), nil
}
