//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A report is everything that was measured.
type report struct {
	command, machine, versions string
	requests                   []request
	spawns                     []spawn
	idle, loaded               pair[memory]
	scheduled                  scheduled
	started                    started
}

// heading is that of the section which a report is.
const heading = "## Requests"

// markdown is the report as a section.
func (r report) markdown() string {
	out := &strings.Builder{}
	r.writeHead(out)
	r.writeRequests(out)
	r.writeSpawns(out)
	r.writeMemory(out)
	r.writeScheduled(out)
	r.writeStarted(out)
	r.writeFailures(out)
	return out.String()
}

// replaced is a document with another section under the heading.
func replaced(document, section string) (string, error) {
	before, rest, found := strings.Cut("\n"+document, "\n"+heading+"\n")
	if !found {
		return "", fmt.Errorf("there is no line %q", heading)
	}
	after := ""
	if i := strings.Index(rest, "\n## "); i >= 0 {
		after = rest[i:]
	}
	return strings.TrimPrefix(before+"\n", "\n") + section + after, nil
}

func (r report) writeHead(w io.Writer) {
	fmt.Fprintf(w, heading+`

The agent and Debian's own `+"`nrpe`"+` side by side, as processes that answer on loopback, asked in turn, in one run. A ratio says how many times better
the agent is: below 1 it is worse. CPU is that of the server with every process that it starts. The clients are on the same processors, so that
the CPU of a request says more of a server than its requests a second.

`+"```sh\n%s\n```"+`

%s. %s.

Both show the same certificate, ECDSA P-256. Debian's package has none, and takes no less then; but only `+"`check_nrpe`"+` can speak to it. Its queue of
connections is 1024 long, for with the usual 5 it drops some. The agent lets one peer ask as often as it likes (`+"`peer_rate`"+`), and a module
run 256 checks at a time (`+"`runs`"+`); all else is as it is by default.

`, r.command, sentence(r.machine), sentence(r.versions))
}

func (r report) writeRequests(w io.Writer) {
	fmt.Fprint(w, `By NRPE in TLS 1.3, a new connection each, as `+"`check_nrpe`"+` asks:

| check | agent | Debian's nrpe |
|---|---|---|
`)
	seen := ""
	for _, q := range r.requests {
		if q.check.title != seen {
			fmt.Fprintf(w, "| %s | %s | %s |\n", q.check.title, q.check.agent, q.check.debian)
		}
		seen = q.check.title
	}
	fmt.Fprint(w, `
| check | clients | requests/s | nrpe | ratio | CPU of one | nrpe | ratio | p50 | nrpe | ratio | p99 | nrpe | ratio |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
`)
	for _, q := range r.requests {
		a, d := q.nrpe.agent, q.nrpe.debian
		fmt.Fprintf(w, "| %s | %d | %.0f | %.0f | %s |%s%s%s\n", q.check.title, q.clients, a.rate(), d.rate(), times(ratio(a.rate(), d.rate())),
			better(a.each(), d.each()), better(a.percentile(50), d.percentile(50)), better(a.percentile(99), d.percentile(99)))
	}
	fmt.Fprint(w, `
With TLS 1.3 each answer of nrpe waits 40 ms for an acknowledgement, whoever asks: the p50 of one client is that, and little work. About half of what
the agent takes for its smaller checks is the handshake. It [confines](docs/native.md) a native script, which nrpe does not.

By REST in TLS 1.3, on connections that are kept open, which Debian's nrpe has not; the ratio is to its CPU above:

| check | clients | requests/s | CPU of one | ratio | p50 | p99 |
|---|---|---|---|---|---|---|
`)
	for _, q := range r.requests {
		s := q.rest
		fmt.Fprintf(w, "| %s | %d | %.0f | %s | %s | %s | %s |\n", q.check.title, q.clients, s.rate(), short(s.each()),
			times(ratio(q.nrpe.debian.each().Seconds(), s.each().Seconds())), short(s.percentile(50)), short(s.percentile(99)))
	}
}

func (r report) writeSpawns(w io.Writer) {
	fmt.Fprintf(w, `
The real `+"`check_nrpe`"+`, from its start to its end, %d times each:

| check | p50 | nrpe | ratio | p99 | nrpe | ratio |
|---|---|---|---|---|---|---|
`, len(r.spawns[0].nrpe.agent.times))
	for _, s := range r.spawns {
		a, d := s.nrpe.agent, s.nrpe.debian
		fmt.Fprintf(w, "| %s |%s%s\n", s.check.title, better(a.percentile(50), d.percentile(50)), better(a.percentile(99), d.percentile(99)))
	}
}

func (r report) writeMemory(w io.Writer) {
	fmt.Fprint(w, `
Memory, before all this and after it:

| | RSS | PSS | RSS after | PSS after |
|---|---|---|---|---|
`)
	for _, s := range []struct {
		name           string
		before, loaded memory
	}{{"agent", r.idle.agent, r.loaded.agent}, {"nrpe", r.idle.debian, r.loaded.debian}} {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", s.name, mebibytes(s.before.rss), mebibytes(s.before.pss), mebibytes(s.loaded.rss), mebibytes(s.loaded.pss))
	}
}

func (r report) writeScheduled(w io.Writer) {
	s := r.scheduled
	fmt.Fprintf(w, `
%d scheduled checks ("smallest"), each every %v, for %s:

| runs | missed | CPU | of one processor | CPU of one run | RSS | PSS |
|---|---|---|---|---|---|---|
| %.0f | %.0f | %s | %.1f %% | %s | %s | %s |
`, s.checks, interval, short(s.elapsed), s.runs, s.missed, short(s.cpu), 100*ratio(s.cpu.Seconds(), s.elapsed.Seconds()),
		short(time.Duration(ratio(float64(s.cpu), s.runs))), mebibytes(s.memory.rss), mebibytes(s.memory.pss))
}

func (r report) writeStarted(w io.Writer) {
	s := r.started
	fmt.Fprintf(w, `
From the start of the server to its first answer, with %d modules of one program each, no two alike, and with as many commands of nrpe; the median of %d:

| agent, nothing compiled yet | agent, compiled before | nrpe |
|---|---|---|
| %s | %s | %s |
`, s.modules, len(s.cold.times), short(s.cold.percentile(50)), short(s.warm.percentile(50)), short(s.debian.percentile(50)))
}

// writeFailures says what was not answered.
func (r report) writeFailures(w io.Writer) {
	failures := r.failures()
	if len(failures) > 0 {
		fmt.Fprintf(w, "\nRequests that were not answered, and are in no figure:\n\n- %s\n", strings.Join(failures, "\n- "))
	}
}

// failures are what was not answered, by whom.
func (r report) failures() (list []string) {
	note := func(title, server string, clients int, s sample) {
		if s.failed > 0 {
			list = append(list, fmt.Sprintf("%s, %d clients, %s: %d, such as %v", title, clients, server, s.failed, s.failure))
		}
	}
	for _, s := range r.spawns {
		note(s.check.title, "agent by check_nrpe", 1, s.nrpe.agent)
		note(s.check.title, "nrpe by check_nrpe", 1, s.nrpe.debian)
	}
	for _, q := range r.requests {
		note(q.check.title, "agent by NRPE", q.clients, q.nrpe.agent)
		note(q.check.title, "nrpe", q.clients, q.nrpe.debian)
		note(q.check.title, "agent by REST", q.clients, q.rest)
	}
	return list
}

// better is three cells of a table: two times and how many times shorter the first is.
func better(agent, debian time.Duration) string {
	return fmt.Sprintf(" %s | %s | %s |", short(agent), short(debian), times(ratio(debian.Seconds(), agent.Seconds())))
}

// short is a time with two or three digits.
func short(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.size {
			return digits(float64(d)/float64(unit.size)) + " " + unit.name
		}
	}
	return "0"
}

// times is a ratio; zero is that there is none.
func times(r float64) string {
	if r == 0 {
		return "-"
	}
	return digits(r)
}

// digits is a number with two digits, or all before the point.
func digits(n float64) string {
	switch {
	case n >= 10:
		return fmt.Sprintf("%.0f", n)
	case n >= 1:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

func mebibytes(bytes int) string { return digits(float64(bytes)/(1<<20)) + " MiB" }

// sentence begins a text with a capital letter, where it has a letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
