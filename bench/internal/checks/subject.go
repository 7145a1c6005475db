//go:build linux

package checks

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/report"
	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// A subject is one check that is run in one way, among some modules.
type subject struct {
	check      string // as the tables call it
	job        worker.Job
	program    string          // the worker; empty is this program
	turn       bool            // whether every module is run, rather than the first
	runs       map[int]*series // by processors
	idle       []time.Duration // of each round, the p50 of runs with rests between them
	memory     footprint
	cold, warm time.Duration // from nothing, and from what is compiled, to the first answer
	failure    error         // why it has no more figures
}

// A footprint is what a subject has in memory, in bytes.
type footprint struct {
	loaded  int // of one module that is loaded
	waiting int // what comes to that once its check has run
	running int // what comes to that for each run
}

// The names of the checks.
const (
	smallest = "smallest"
	inC      = "C"
	onSDK    = "Go on the SDK"
	inGo     = "Go"
	inPython = "Python"
)

// heavy is the most different programs of those that are large and take seconds to
// compile, and most is the most modules with them.
const heavy, most = 10, 100

// subjects are all of them.
func (l *lab) subjects() (list []*subject) {
	shell := "echo 'OK: " + worker.Said + "|time=1s;2;3'"
	for _, c := range []struct {
		name, file string
		held       string
		argv       []string
		slow       bool // to compile
	}{
		{smallest, "check_smallest.wasm", l.file("held_smallest.wasm"), []string{"/bin/sh", "-c", shell}, false},
		{inC, "check_c.wasm", "", []string{l.file("check_c")}, false},
		{onSDK, "check_sdk.wasm", "", []string{l.file("check_sdk")}, true},
		{inGo, "check_go.wasm", "", []string{l.file("check_go")}, true},
		{inPython, "", "", []string{l.python, filepath.Join(l.source, "bench", "testdata", "check.py")}, false},
	} {
		add := func(way string, modules int, turn bool) {
			j := worker.Job{Way: way, Program: l.file(c.file), Held: c.held, Modules: modules, Alike: c.slow && modules > heavy}
			if way == "process" {
				j = worker.Job{Way: way, Argv: c.argv, Modules: modules}
				if c.held != "" {
					j.Held = shell + "; read end || true"
				}
			}
			s := &subject{check: c.name, job: j, turn: turn, runs: map[int]*series{1: {}, 2: {}}}
			if way == "Extism" {
				s.program = l.file("extism")
			}
			list = append(list, s)
		}
		if c.file != "" {
			for _, n := range l.modules {
				if n <= most || !c.slow {
					add("sandbox", n, n > 1)
				}
			}
		}
		if c.name == smallest {
			add("sandbox", l.modules[len(l.modules)-1], false)
		}
		add("process", 1, false)
		for _, n := range l.modules {
			if c.name == smallest || c.file != "" && n == 1 {
				add("wazero", n, n > 1)
				add("Extism", n, n > 1)
			}
		}
	}
	return list
}

// again tells whether the subject differs from another one only in what is run.
func (s *subject) again() bool { return s.job.Modules > 1 && !s.turn }

// hire starts a worker for the subject.
func (s *subject) hire(processors int) (*worker.Worker, error) {
	if s.program != "" {
		return worker.Hire(s.program, processors)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return worker.Hire(self, processors)
}

// chosen are the subjects that are to be measured.
func (l *lab) chosen() []*subject {
	return slices.DeleteFunc(l.subjects(), func(s *subject) bool { return !l.only.MatchString(s.String()) })
}

// A series is what came of the rounds of a subject on some processors.
type series struct {
	all   []time.Duration // of each run
	p50s  []time.Duration // of each round, as what follows
	cpus  []time.Duration
	rates []float64
}

// add adds a round.
func (s *series) add(a worker.Answer) {
	s.all = append(s.all, a.Times...)
	s.p50s = append(s.p50s, report.Percentile(a.Times, 50))
	s.cpus = append(s.cpus, a.CPU/time.Duration(len(a.Times)))
	s.rates = append(s.rates, float64(len(a.Times))/a.Elapsed.Seconds())
}

// median is that of numbers; zero if there are none.
func median(numbers []float64) float64 {
	if len(numbers) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(numbers))[(len(numbers)-1)/2]
}

func (s *series) p50() time.Duration { return report.Percentile(s.p50s, 50) }
func (s *series) p99() time.Duration { return report.Percentile(s.all, 99) }
func (s *series) cpu() time.Duration { return report.Percentile(s.cpus, 50) }

// rate is how many runs there were in a second.
func (s *series) rate() float64 { return median(s.rates) }
