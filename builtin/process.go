package builtin

import (
	"context"
	"fmt"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

func (s *System) checkProcess() *command {
	return &command{
		name:    "check_process",
		summary: "the number of running processes",
		options: append([]option{
			{name: "process", aliases: []string{"p"}, value: "NAME", preset: "*", repeats: true, parse: asPattern,
				help: "a program's name, with or without .exe; * and ? stand for others"},
			{name: "user", aliases: []string{"u"}, value: "NAME", repeats: true, parse: asPattern,
				help: "count only the processes of these users"},
		}, thresholds(plain, "none", "1:")...),
		about: []string{
			"The value is the number of processes of each NAME; crit=1: is critical where there is none. Processes that\n" +
				"have ended and wait for their parent are not counted.",
			"Performance data for each NAME: NAME with the thresholds; NAME resident, their physical memory in bytes;\n" +
				"NAME threads.",
		},
		example: []string{"process=sshd process=cron warn=1:20"},
		run:     s.runProcess,
	}
}

func (s *System) runProcess(ctx context.Context, args arguments) (check.Result, error) {
	all, err := s.machine.processes(ctx)
	if err != nil {
		return check.Result{}, err
	}
	r := newReport()
	for _, name := range every[pattern](args, "process") {
		r.processes(name, tallyOf(all.Processes, name, every[pattern](args, "user")), args)
	}
	return r.result(""), nil
}

// A tally is what the processes of one name amount to.
type tally struct {
	count    int
	resident uint64
	threads  int64
}

func tallyOf(all []facts.Process, name pattern, users []pattern) tally {
	var t tally
	for _, p := range all {
		if p.State == facts.ProcessZombie || !matchAny([]pattern{name}, p.Name, bareName(p.Name)) {
			continue
		}
		if len(users) > 0 && !matchAny(users, p.User) {
			continue
		}
		t.count++
		t.resident += or(p.ResidentBytes, 0)
		t.threads += int64(or(p.Threads, 0))
	}
	return t
}

// bareName is a program's name without .exe.
func bareName(name string) string {
	if n := len(name) - len(".exe"); n > 0 && strings.EqualFold(name[n:], ".exe") {
		return name[:n]
	}
	return name
}

func (r *report) processes(name pattern, t tally, args arguments) {
	label := string(name)
	if name == "*" {
		label = "all"
	}
	words := fmt.Sprintf("%s: %s", label, counted(t.count, "process", "processes"))
	r.checked(words, check.Perf{Label: label, Value: float64(t.count), Min: new(0.0)}, args)
	r.data(
		check.Perf{Label: label + " resident", Value: float64(t.resident), Unit: "B", Min: new(0.0)},
		check.Perf{Label: label + " threads", Value: float64(t.threads), Min: new(0.0)},
	)
}

// counted is a number with its noun.
func counted(n int, singular, plural string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", n, plural)
}
