package builtin

import (
	"context"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/facts"
)

// Figures are the facts of a machine that a test makes up.
type Figures struct {
	CPU         func(context.Context) (facts.CPU, error)
	OS          func(context.Context) (facts.OS, error)
	Load        func(context.Context) (facts.Load, error)
	Memory      func(context.Context) (facts.Memory, error)
	Swap        func(context.Context) (facts.Swap, error)
	Disks       func(context.Context) (facts.Disks, error)
	Filesystems func(context.Context) (facts.Filesystems, error)
	Network     func(context.Context) (facts.Network, error)
	Processes   func(context.Context) (facts.Processes, error)
	Services    func(context.Context) (facts.Services, error)
	Uptime      func(context.Context) (facts.Uptime, error)
}

// NewSystemOn is CheckSystem for a made up machine, with computed counters on
// every operating system.
func NewSystemOn(f Figures) *System {
	return newSystem(machine{
		cpu: f.CPU, os: f.OS, load: f.Load, memory: f.Memory, swap: f.Swap, disks: f.Disks, filesystems: f.Filesystems,
		network: f.Network, processes: f.Processes, services: f.Services, uptime: f.Uptime,
	}, openComputed)
}

// Doc is what docs/builtin.md shows of a command.
type Doc struct {
	Name, Help string
	Examples   []string
}

func docs(list []*command) []Doc {
	all := make([]Doc, len(list))
	for i, c := range list {
		all[i] = Doc{c.name, c.help(), c.example}
	}
	return all
}

func (s *System) Docs() []Doc  { return docs(s.list()) }
func (h *Helpers) Docs() []Doc { return docs(h.list()) }

// ParseCounterPath returns the parts of a path, its text and what it is in English.
func ParseCounterPath(s string) (object, instance, counter, text, english string, err error) {
	p, err := parseCounterPath(s)
	return p.object, p.instance, p.counter, p.String(), p.english().String(), err
}

// ParseArguments parses args for a command that takes one option of each kind
// and words, and tells how many options it took.
func ParseArguments(args []string) (options int, words []string, err error) {
	options1 := append(thresholds(bytes.shareOf("it"), "80%", "none"), since(),
		option{name: "name", aliases: []string{"n"}, value: "NAME", repeats: true, parse: asPattern},
		option{name: "command", value: "LINE", parse: commandLine},
		option{name: "state", value: "STATE", parse: state},
		option{name: "counter", value: "COUNTER", parse: counterOption})
	c := &command{name: "check_x", words: "WORD...", options: options1}
	parsed, err := c.parse(args)
	return len(parsed.values), parsed.words, err
}

// ParseThreshold reads a threshold in bytes or in percent of whole, and gives
// it in bytes; nil for none.
func ParseThreshold(s string, whole float64) (*check.Range, error) {
	t, err := bytes.shareOf("it").threshold(s)
	if err != nil {
		return nil, err
	}
	return t.(threshold).of(whole), nil
}

// Match tells whether a pattern stands for a name.
func Match(p, name string) bool {
	asked, err := asPattern(p)
	return err == nil && asked.(pattern).matches(name)
}

// ObjectNames and CounterNames are every name in the table of translations,
// with the English name that it is found to mean.
func ObjectNames() map[string]string  { return translated(objectNames) }
func CounterNames() map[string]string { return translated(counterNames) }

func translated(table []translation) map[string]string {
	all := map[string]string{}
	for _, t := range table {
		for _, name := range append(t.others, t.english) {
			all[t.english+"\x00"+name] = englishName(table, name)
		}
	}
	return all
}

// CatalogPaths are the counters that are computed, without instances.
func CatalogPaths() (paths []string) {
	for _, c := range catalog() {
		paths = append(paths, counterPath{object: c.object, counter: c.name}.String())
	}
	return paths
}

// History is what is kept of a counter.
type History struct{ h *history }

func NewHistory() History { return History{newHistory()} }

func (h History) Add(at time.Duration, v float64) { h.h.add(at, v) }

func (h History) Mean(now, span time.Duration) (float64, int) { return h.h.mean(now, span) }

// Bounds.
const (
	MaxCounters = maxCounters
	MaxCommands = maxCommands
)

// Trail is a trail of numbers.
type Trail struct{ t trail[float64] }

// Span is how much a figure grew, over which time.
func (t *Trail) Span(ctx context.Context, want time.Duration, read func(context.Context) (float64, error)) (growth float64, over time.Duration, err error) {
	from, to, err := t.t.span(ctx, want, read)
	return to.value - from.value, to.at.Sub(from.at), err
}

// Points is how many readings the trail remembers.
func (t *Trail) Points() int { return len(t.t.points) }

// HumanTime and HumanBytes write quantities for people.
var (
	HumanTime  = humanTime
	HumanBytes = humanBytes
)
