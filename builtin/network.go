package builtin

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

func (s *System) checkNetwork() *command {
	return &command{
		name:    "check_network",
		summary: "the traffic of network interfaces",
		options: append([]option{
			{name: "interface", aliases: []string{"i"}, value: "NAME", preset: "*", repeats: true, parse: asPattern,
				help: "an interface's name; * and ? stand for others"},
			{name: "exclude", aliases: []string{"x"}, value: "NAME", repeats: true, parse: asPattern,
				help: "leave these interfaces out"},
			since(),
		}, thresholds(bytes, "none", "none")...),
		about: []string{
			"The value is the bytes received and sent by each interface, per second. The time span is measured between\n" +
				"this call and the earlier one that fits TIME best; the first call measures for half a second.",
			"A name with * stands for the interfaces that run, without the loopback. An interface that is named and\n" +
				"does not run is CRITICAL.",
			"Performance data for each interface, per second: NAME total with the thresholds, NAME received and NAME\n" +
				"sent in bytes; NAME errors, the packets that were damaged or could not be sent.",
		},
		example: []string{"interface=eth0 warn=50MB crit=100MB"},
		run:     s.runNetwork,
	}
}

func (s *System) runNetwork(ctx context.Context, args arguments) (check.Result, error) {
	from, to, err := s.network.span(ctx, one[time.Duration](args, "time"), s.machine.network)
	if err != nil {
		return check.Result{}, err
	}
	exclude := every[pattern](args, "exclude")
	chosen, err := menu[facts.Interface]{
		kind: "running interface",
		all:  to.value.Interfaces,
		name: func(i facts.Interface) string { return i.Name },
		takes: func(p pattern, i facts.Interface) bool {
			return p.matches(i.Name) && (!p.wild() || i.Running && !i.Loopback) && !matchAny(exclude, i.Name)
		},
	}.choose(every[pattern](args, "interface"))
	if err != nil {
		return check.Result{}, err
	}
	earlier := make(map[string]facts.Interface, len(from.value.Interfaces))
	for _, i := range from.value.Interfaces {
		earlier[i.Name] = i
	}
	r := newReport()
	for _, i := range chosen {
		r.netInterface(earlier[i.Name], i, to.at.Sub(from.at).Seconds(), args)
	}
	return r.result(""), nil
}

// netInterface judges the growth of one interface's counters over seconds.
func (r *report) netInterface(before, after facts.Interface, seconds float64, args arguments) {
	name := after.Name
	if !after.Running {
		r.found(check.StateCritical, name+" is down")
	}
	if before.Counters == nil || after.Counters == nil {
		r.found(check.StateUnknown, name+": no traffic counters yet")
		return
	}
	b, a := *before.Counters, *after.Counters
	received := perSecond(b.ReceivedBytes, a.ReceivedBytes, seconds)
	sent := perSecond(b.SentBytes, a.SentBytes, seconds)
	failed := perSecond(b.ReceiveErrors+b.SendErrors, a.ReceiveErrors+a.SendErrors, seconds)
	if math.IsNaN(received + sent + failed) {
		r.found(check.StateUnknown, name+": its traffic counters were reset")
		return
	}
	words := fmt.Sprintf("%s %s/s received, %s/s sent", name, humanBytes(received), humanBytes(sent))
	r.checked(words, check.Perf{Label: name + " total", Value: tidy(received + sent), Unit: "B", Min: new(0.0)}, args)
	r.data(
		check.Perf{Label: name + " received", Value: tidy(received), Unit: "B", Min: new(0.0)},
		check.Perf{Label: name + " sent", Value: tidy(sent), Unit: "B", Min: new(0.0)},
		check.Perf{Label: name + " errors", Value: tidy(failed), Min: new(0.0)},
	)
}

// perSecond is the growth of a counter, or NaN if it went back.
func perSecond(before, after uint64, seconds float64) float64 {
	if after < before || seconds <= 0 {
		return math.NaN()
	}
	return float64(after-before) / seconds
}
