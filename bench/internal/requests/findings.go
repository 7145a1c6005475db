//go:build linux

package requests

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/bench/internal/report"
)

// Findings are everything that was measured.
type findings struct {
	command, machine, versions string
	requests                   []request
	spawns                     []spawn
	idle, loaded               pair[memory]
	scheduled                  scheduled
	started                    started
}

// Heading is that of the section.
const Heading = "## Requests"

// markdown is the section.
func (f findings) markdown() string {
	out := &strings.Builder{}
	f.writeHead(out)
	f.writeRequests(out)
	f.writeSpawns(out)
	f.writeMemory(out)
	f.writeScheduled(out)
	f.writeStarted(out)
	f.writeFailures(out)
	return out.String()
}

func (f findings) writeHead(w io.Writer) {
	fmt.Fprintf(w, Heading+`

The agent and Debian's own `+"`nrpe`"+` side by side, as processes that answer on loopback, asked in turn, in one run. A ratio says how many times better
the agent is: below 1 it is worse. CPU is that of the server with every process that it starts. The clients are on the same processors, so that
the CPU of a request says more of a server than its requests a second.

`+"```sh\n%s\n```"+`

%s. %s.

Both show the same certificate, ECDSA P-256. Debian's package has none, and takes no less then; but only `+"`check_nrpe`"+` can speak to it. Its queue of
connections is 1024 long, for with the usual 5 it drops some. The agent lets one peer ask as often as it likes (`+"`peer_rate`"+`), and a module
run 256 checks at a time (`+"`runs`"+`); all else is as it is by default.

`, f.command, report.Sentence(f.machine), report.Sentence(f.versions))
}

func (f findings) writeRequests(w io.Writer) {
	fmt.Fprint(w, `By NRPE in TLS 1.3, a new connection each, as `+"`check_nrpe`"+` asks:

| check | agent | Debian's nrpe |
|---|---|---|
`)
	seen := ""
	for _, q := range f.requests {
		if q.check.title != seen {
			fmt.Fprintf(w, "| %s | %s | %s |\n", q.check.title, q.check.agent, q.check.debian)
		}
		seen = q.check.title
	}
	fmt.Fprint(w, `
| check | clients | requests/s | nrpe | ratio | CPU of one | nrpe | ratio | p50 | nrpe | ratio | p99 | nrpe | ratio |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
`)
	for _, q := range f.requests {
		a, d := q.nrpe.agent, q.nrpe.debian
		fmt.Fprintf(w, "| %s | %d | %.0f | %.0f | %s |%s%s%s\n", q.check.title, q.clients, a.rate(), d.rate(), report.Times(report.Ratio(a.rate(), d.rate())),
			better(a.each(), d.each()), better(a.percentile(50), d.percentile(50)), better(a.percentile(99), d.percentile(99)))
	}
	fmt.Fprint(w, `
With TLS 1.3 each answer of nrpe waits 40 ms for an acknowledgement, whoever asks: the p50 of one client is that, and little work. About half of what
the agent takes for its smaller checks is the handshake. It [confines](docs/native.md) a native script, which nrpe does not.

By REST in TLS 1.3, on connections that are kept open, which Debian's nrpe has not; the ratio is to its CPU above:

| check | clients | requests/s | CPU of one | ratio | p50 | p99 |
|---|---|---|---|---|---|---|
`)
	for _, q := range f.requests {
		s := q.rest
		fmt.Fprintf(w, "| %s | %d | %.0f | %s | %s | %s | %s |\n", q.check.title, q.clients, s.rate(), report.Short(s.each()),
			report.Times(report.Ratio(q.nrpe.debian.each().Seconds(), s.each().Seconds())), report.Short(s.percentile(50)), report.Short(s.percentile(99)))
	}
}

func (f findings) writeSpawns(w io.Writer) {
	fmt.Fprintf(w, `
The real `+"`check_nrpe`"+`, from its start to its end, %d times each:

| check | p50 | nrpe | ratio | p99 | nrpe | ratio |
|---|---|---|---|---|---|---|
`, len(f.spawns[0].nrpe.agent.times))
	for _, s := range f.spawns {
		a, d := s.nrpe.agent, s.nrpe.debian
		fmt.Fprintf(w, "| %s |%s%s\n", s.check.title, better(a.percentile(50), d.percentile(50)), better(a.percentile(99), d.percentile(99)))
	}
}

func (f findings) writeMemory(w io.Writer) {
	fmt.Fprint(w, `
Memory, before all this and after it:

| | RSS | PSS | RSS after | PSS after |
|---|---|---|---|---|
`)
	for _, s := range []struct {
		name           string
		before, loaded memory
	}{{"agent", f.idle.agent, f.loaded.agent}, {"nrpe", f.idle.debian, f.loaded.debian}} {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", s.name, report.Mebibytes(s.before.rss), report.Mebibytes(s.before.pss), report.Mebibytes(s.loaded.rss), report.Mebibytes(s.loaded.pss))
	}
}

func (f findings) writeScheduled(w io.Writer) {
	s := f.scheduled
	fmt.Fprintf(w, `
%d scheduled checks ("smallest"), each every %v, for %s:

| runs | missed | CPU | of one processor | CPU of one run | RSS | PSS |
|---|---|---|---|---|---|---|
| %.0f | %.0f | %s | %.1f %% | %s | %s | %s |
`, s.checks, interval, report.Short(s.elapsed), s.runs, s.missed, report.Short(s.cpu), 100*report.Ratio(s.cpu.Seconds(), s.elapsed.Seconds()),
		report.Short(time.Duration(report.Ratio(float64(s.cpu), s.runs))), report.Mebibytes(s.memory.rss), report.Mebibytes(s.memory.pss))
}

func (f findings) writeStarted(w io.Writer) {
	s := f.started
	fmt.Fprintf(w, `
From the start of the server to its first answer, with %d modules of one program each, no two alike, and with as many commands of nrpe; the median of %d:

| agent, nothing compiled yet | agent, compiled before | nrpe |
|---|---|---|
| %s | %s | %s |
`, s.modules, len(s.cold.times), report.Short(s.cold.percentile(50)), report.Short(s.warm.percentile(50)), report.Short(s.debian.percentile(50)))
}

// writeFailures says what was not answered.
func (f findings) writeFailures(w io.Writer) {
	failures := f.failures()
	if len(failures) > 0 {
		fmt.Fprintf(w, "\nRequests that were not answered, and are in no figure:\n\n- %s\n", strings.Join(failures, "\n- "))
	}
}

// failures are what was not answered, by whom.
func (f findings) failures() (list []string) {
	note := func(title, server string, clients int, s sample) {
		if s.failed > 0 {
			list = append(list, fmt.Sprintf("%s, %d clients, %s: %d, such as %v", title, clients, server, s.failed, s.failure))
		}
	}
	for _, s := range f.spawns {
		note(s.check.title, "agent by check_nrpe", 1, s.nrpe.agent)
		note(s.check.title, "nrpe by check_nrpe", 1, s.nrpe.debian)
	}
	for _, q := range f.requests {
		note(q.check.title, "agent by NRPE", q.clients, q.nrpe.agent)
		note(q.check.title, "nrpe", q.clients, q.nrpe.debian)
		note(q.check.title, "agent by REST", q.clients, q.rest)
	}
	return list
}

// better is three cells of a table: two times and how many times shorter the first is.
func better(agent, debian time.Duration) string {
	return fmt.Sprintf(" %s | %s | %s |", report.Short(agent), report.Short(debian), report.Times(report.Ratio(debian.Seconds(), agent.Seconds())))
}
