//go:build linux

package checks

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wasmagent/wasmagent/bench/internal/report"
	"github.com/wasmagent/wasmagent/bench/internal/worker"
)

// Findings are everything that was measured.
type findings struct {
	command, machine, versions string
	subjects                   []*subject
	metered                    []metered
	unmetered                  error // why there are none, or not all
}

// find is the subject of a check in a way, without figures if it was not measured.
func (f *findings) find(check, way string, modules int) *subject {
	for _, s := range f.subjects {
		if s.check == check && s.job.Way == way && s.job.Modules == modules {
			return s
		}
	}
	return &subject{check: check, job: worker.Job{Way: way}, runs: map[int]*series{1: {}, 2: {}}}
}

// most is how many modules the most have.
func (f *findings) most() (most int) {
	for _, s := range f.subjects {
		most = max(most, s.job.Modules)
	}
	return most
}

// named is what the check is called: the smallest one is no program where it is a
// process.
func (s *subject) named() string {
	if s.check == smallest && s.job.Way == "process" {
		return "`sh -c echo`"
	}
	return s.check
}

// section is all of it in Markdown. The chart is drawn into a file.
func (f *findings) section(chart string) (string, error) {
	out := &strings.Builder{}
	f.writeHead(out)
	if chart != "" {
		if err := os.WriteFile(chart, f.chart(), 0o644); err != nil {
			return "", err
		}
		fmt.Fprintf(out, "![The p50 of each, on one processor](bench/checks.svg)\n\n")
	}
	f.writeGoals(out)
	f.writeRuns(out)
	f.writeModules(out)
	f.writeFailures(out)
	return out.String(), nil
}

func (f *findings) writeHead(w io.Writer) {
	fmt.Fprintf(w, `## Checks

One and the same check, which prints a line with performance data, in several languages: in the agent's **sandbox**, through the dispatcher, as
it is by default, metered and limited, its output decoded; as a **process** that Go starts and whose output it reads; in bare **wazero**, and in
**Extism**, as their documentation says: compiled once, an instance for each run. Neither of these two limits or meters anything here. "smallest" is
150 bytes of WebAssembly beside `+"`sh -c echo`"+`; "Go" is an ordinary program, "Go on the SDK" a check on package guest, which is a reactor.

`+"```sh\n%s\n```"+`

%s. %s.

Each has processes of its own, one pinned to one processor and one to two, so that nothing of one is in the memory or the times of another. They
run in turn, in short rounds: a figure is the median of the rounds, p99 is that of all runs. CPU is what the process and its children took
for a run, with garbage collection and all else.

`, f.command, report.Sentence(f.machine), report.Sentence(f.versions))
}

func (f *findings) writeGoals(w io.Writer) {
	fmt.Fprint(w, "| ratio of medians | goal | measured | | of |\n|---|---|---|---|---|\n")
	for _, g := range f.goals() {
		bound := "at least"
		if g.most {
			bound = "at most"
		}
		fmt.Fprintf(w, "| %s | %s %g | %.2f | %s | %s |\n", g.what, bound, g.want, g.measured, g.reached(), g.of)
	}
}

func (f *findings) writeRuns(w io.Writer) {
	fmt.Fprint(w, `
On one processor, one run after the other; after a rest of a few milliseconds ("rested"); and on two processors, two at a time. Where there are several modules,
every one of them is run in turn, but for the row that says otherwise: the code and the memory of a check have left the processor's caches when it is its
turn again, as in an agent whose checks run once a minute. No two have the same program, but for those of Go that are more than `, heavy, `.

| check | in | modules | p50 | p99 | CPU | runs/s | rested | on two: p50 | p99 | CPU | runs/s | against one |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
`)
	for _, s := range f.subjects {
		one, two := s.runs[1], s.runs[2]
		modules, rested := fmt.Sprint(s.job.Modules), ""
		if s.again() {
			modules += ", the same one"
		}
		if len(s.idle) > 0 {
			rested = report.Short(report.Percentile(s.idle, 50))
		}
		fmt.Fprintf(w, "| %s | %s | %s |%s %s |%s %s |\n", s.named(), s.job.Way, modules, one.cells(), rested, two.cells(), report.Times(report.Ratio(two.rate(), one.rate())))
	}
}

// cells are four of a table.
func (s *series) cells() string {
	return fmt.Sprintf(" %s | %s | %s | %.0f |", report.Short(s.p50()), report.Short(s.p99()), report.Short(s.cpu()), s.rate())
}

func (f *findings) writeModules(w io.Writer) {
	fmt.Fprint(w, `
Memory, in a process and its children: of each module that is loaded, what is added once it has run and waits to run again, and what each run adds
while it lasts. And the time from nothing to the first answer, of the last of the modules: with nothing compiled, and with all compiled before.

| check | in | modules | loaded | waiting | running | cold | warm |
|---|---|---|---|---|---|---|---|
`)
	for _, s := range f.subjects {
		if s.again() {
			continue
		}
		loaded, waiting := size(s.memory.loaded), size(s.memory.waiting)
		if s.job.Way == "process" {
			loaded, waiting = "-", "-"
		}
		fmt.Fprintf(w, "| %s | %s | %d | %s | %s | %s | %s | %s |\n", s.named(), s.job.Way, s.job.Modules,
			loaded, waiting, size(s.memory.running), report.Short(s.cold), report.Short(s.warm))
	}
}

// size is a size for people.
func size(bytes int) string {
	if bytes < 1<<10 {
		return "0"
	}
	if bytes < 1<<20 {
		return report.Digits(float64(bytes)/(1<<10)) + " KiB"
	}
	return report.Mebibytes(bytes)
}

// writeFailures says what could not be measured.
func (f *findings) writeFailures(w io.Writer) {
	for _, s := range f.subjects {
		if s.failure != nil {
			fmt.Fprintf(w, "\nNot measured: %s: %v\n", s, s.failure)
		}
	}
	if f.unmetered != nil {
		fmt.Fprintf(w, "\nNot measured: metering: %v\n", f.unmetered)
	}
}
