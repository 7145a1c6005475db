package builtin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

func (s *System) checkService() *command {
	return &command{
		name:    "check_service",
		summary: "whether services run",
		options: append([]option{
			{name: "service", aliases: []string{"s"}, value: "NAME", preset: "*", repeats: true, parse: asPattern,
				help: "a service's name, with or without .service; * and ? stand for others"},
			{name: "exclude", aliases: []string{"x"}, value: "NAME", repeats: true, parse: asPattern,
				help: "leave these services out"},
		}, thresholds(plain, "none", "0")...),
		about: []string{
			"The value is the number of services that are not as they should be. A service that is named should run, or\n" +
				"have done its work. A name with * asks less of those it stands for: that none has failed, and on Windows\n" +
				"that each one that starts with the system runs.",
			"Performance data: wrong with the thresholds; checked, the number of services looked at.",
		},
		example: []string{"service=ssh service=cron", "exclude=snapd*"},
		run:     s.runService,
	}
}

func (s *System) runService(ctx context.Context, args arguments) (check.Result, error) {
	all, err := s.machine.services(ctx)
	if err != nil {
		return check.Result{}, err
	}
	if all.Manager == "" {
		return check.Result{}, errors.New("no service manager runs here")
	}
	names, exclude := every[pattern](args, "service"), every[pattern](args, "exclude")
	chosen, err := menu[facts.Service]{
		kind: "service",
		all:  all.Services,
		name: shortName,
		takes: func(p pattern, s facts.Service) bool {
			return serviceMatches(p, s) && !matchAny(exclude, s.Name, shortName(s))
		},
	}.choose(names)
	if err != nil {
		return check.Result{}, err
	}
	return reportServices(chosen, wrongServices(chosen, names, all.Manager), args), nil
}

// wrongServices describes those of the services that are not as they should be.
func wrongServices(chosen []facts.Service, names []pattern, manager string) []string {
	var wrong []string
	for _, s := range chosen {
		named := slices.ContainsFunc(names, func(p pattern) bool { return !p.wild() && serviceMatches(p, s) })
		if !wellService(s, named, manager) {
			wrong = append(wrong, shortName(s)+" is "+cmp.Or(s.Detail, string(s.State), "in an unknown state"))
		}
	}
	return wrong
}

func reportServices(chosen []facts.Service, wrong []string, args arguments) check.Result {
	words := counted(len(chosen), "service is", "services are") + " as expected"
	if len(wrong) > 0 {
		words = strings.Join(wrong, ", ")
	}
	r := newReport()
	r.checked(words, check.Perf{Label: "wrong", Value: float64(len(wrong)), Min: new(0.0), Max: new(float64(len(chosen)))}, args)
	r.data(check.Perf{Label: "checked", Value: float64(len(chosen)), Min: new(0.0)})
	return r.result(words)
}

func serviceMatches(name pattern, s facts.Service) bool {
	return matchAny([]pattern{name}, s.Name, shortName(s), s.Description)
}

func shortName(s facts.Service) string { return strings.TrimSuffix(s.Name, ".service") }

// wellService tells whether a service is as it should be: one that was named,
// or one of those that a pattern stands for.
func wellService(s facts.Service, named bool, manager string) bool {
	switch {
	case s.State == facts.ServiceRunning || s.State == facts.ServiceExited:
		return true
	case named:
		return false
	case s.State == facts.ServiceFailed:
		return false
	}
	return manager != "windows" || s.Start != facts.StartAutomatic
}
