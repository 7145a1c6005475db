package builtin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

func (s *System) checkPDH() *command {
	return &command{
		name:    "check_pdh",
		summary: "performance counters",
		options: append([]option{
			{name: "counter", value: "NAME", must: true, repeats: true, parse: counterName,
				help: `a counter, as in "\Processor(_Total)\% Processor Time", or the alias of one that is sampled`},
			{name: "time", value: "TIME", parse: span(time.Second, historyLength),
				help: "the average over this long, of a counter that is sampled; without it, the newest value"},
		}, thresholds(plain.shareOf("a counter in percent"), "none", "none")...),
		about: []string{
			"A counter that CheckSystem.add samples is answered from its samples, averages of a second for ten minutes and\n" +
				"of a minute for a day. Any other counter is read now, which takes a second where it counts up.",
			"Names are in English, Swedish, German or French; on Windows also in the system's own language. An instance\n" +
				"may have * in it and stand for several; _Total is all of them.",
			"Performance data for each counter or instance: the value with the thresholds, in the counter's own unit.",
		},
		example: []string{`"counter=\Processor(_Total)\% Processor Time" warn=80 crit=90`},
		run:     s.runPDH,
	}
}

func (s *System) addCounter() *command {
	return &command{
		name:    "CheckSystem.add",
		summary: "sample a performance counter from now on, for check_pdh",
		words:   "COUNTER [ALIAS]",
		options: []option{
			{name: "counter", value: "COUNTER", parse: counterOption, help: "the counter, instead of the first word"},
			{name: "alias", value: "ALIAS", parse: text, help: "a short name for it, instead of the second word"},
		},
		about: append([]string{
			fmt.Sprintf("A counter is read every second, or every %s where reading is costly: those of processes. At most %d\n"+
				"counters with %d instances are sampled; a day of samples is kept, and none when the agent ends. To add a\n"+
				"counter again does nothing but give it one more alias.", humanTime(sampleSlowly.Seconds()), maxCounters, maxSeries),
		}, aboutCounters()...),
		example: []string{`"\\Fysisk disk(0 C:)\\Disktid i procent" disk0`},
		run:     s.runAdd,
	}
}

// aboutCounters lists the counters that are computed.
func aboutCounters() []string {
	return []string{
		"On Windows counters come from the system (PDH). Elsewhere, and where PDH has none, they are computed from the\n" +
			"machine's own figures:",
		listCounters(),
		"There DISK is a device (sda) or, as on Windows, the number of a disk and perhaps its letters (0 C:): disks are\n" +
			"numbered from 0 in the order of their names, without partitions and devices that are no disks. PATH is a mount\n" +
			"point; C: is the root. _Total adds the instances up; of what is in percent it is their mean.",
	}
}

// listCounters is the catalog as a table for people: an object on a line, its
// counters in the lines after it.
func listCounters() string {
	instances := map[string]string{
		"Processor": "NUMBER", "PhysicalDisk": "DISK", "LogicalDisk": "PATH", "Network Interface": "INTERFACE",
		"Paging File": "FILE", "Process": "PROGRAM",
	}
	var b strings.Builder
	object, column := "", 0
	for _, c := range catalog() {
		separator := ", "
		if c.object != object {
			object, separator, column = c.object, "\n      ", 6
			b.WriteString("\n  " + strings.TrimSuffix(counterPath{object: object, instance: instances[object]}.String(), `\`))
		} else if column+len(c.name) > 100 {
			separator, column = ",\n      ", 6
		}
		b.WriteString(separator + c.name)
		column += len(separator) + len(c.name)
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// A counterRef is how check_pdh is told of a counter: a path, or the alias of
// one that is sampled.
type counterRef struct {
	alias string
	path  counterPath
}

func counterName(s string) (any, error) {
	if !strings.Contains(s, `\`) {
		return counterRef{alias: s}, nil
	}
	path, err := parseCounterPath(s)
	return counterRef{path: path}, err
}

// label is the name of a value in performance data.
func (c counterRef) label(instance string, wild bool) string {
	switch {
	case c.alias != "" && wild:
		return c.alias + " " + instance
	case c.alias != "":
		return c.alias
	case wild:
		c.path.instance = instance
	}
	return c.path.String()
}

func (s *System) runAdd(ctx context.Context, args arguments) (check.Result, error) {
	path, alias, err := addedCounter(args)
	if err != nil {
		return check.Result{}, err
	}
	fresh, err := s.sampler.add(ctx, path, alias)
	if err != nil {
		return check.Result{}, err
	}
	words := "OK: sampling " + path.String()
	if !fresh {
		words = "OK: already sampling " + path.String()
	}
	if alias != "" {
		words += " as " + alias
	}
	return check.Result{State: check.StateOK, Text: words}, nil
}

// addedCounter is the counter and the alias that words and options name.
func addedCounter(args arguments) (path counterPath, alias string, err error) {
	words := args.words
	if args.has("counter") {
		path = one[counterPath](args, "counter")
	} else if len(words) == 0 {
		return path, "", errors.New("name a counter")
	} else {
		if path, err = parseCounterPath(words[0]); err != nil {
			return path, "", err
		}
		words = words[1:]
	}
	alias = one[string](args, "alias")
	if !args.has("alias") && len(words) > 0 {
		alias, words = words[0], words[1:]
	}
	if len(words) > 0 {
		return path, "", fmt.Errorf("%q is one word too many: put a counter that has blanks in double quotes", words[0])
	}
	if strings.Contains(alias, `\`) || len(alias) > 100 {
		return path, "", fmt.Errorf("alias %.100q: write a short name without backslashes", alias)
	}
	return path, alias, nil
}

func (s *System) runPDH(ctx context.Context, args arguments) (check.Result, error) {
	r := newReport()
	var wrong mistakes
	for _, ref := range every[counterRef](args, "counter") {
		if err := s.counter(ctx, r, ref, args); err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(wrong) > 0 {
		return check.Result{}, wrong
	}
	return r.result(""), nil
}

// counter judges one counter.
func (s *System) counter(ctx context.Context, r *report, ref counterRef, args arguments) error {
	c := s.sampler.find(ref.alias, ref.path)
	if c == nil && ref.alias != "" {
		return fmt.Errorf(`no counter is sampled as %q: write \Object(Instance)\Counter, or add it with CheckSystem.add`, ref.alias)
	}
	path := ref.path
	if c != nil {
		path = c.path
	}
	samples, over, err := s.readings(ctx, c, path, one[time.Duration](args, "time"))
	if err != nil {
		return err
	}
	unit := unitOf(path)
	warn, crit := one[threshold](args, "warn"), one[threshold](args, "crit")
	if unit != "%" && (warn.share || crit.share) {
		return fmt.Errorf("counter %s is not in percent: write its thresholds without %%", path)
	}
	for _, one := range samples {
		label := ref.label(one.name, path.wild())
		r.value(fmt.Sprintf("%s %s%s", label, humanValue(one.value, unit), over), check.Perf{
			Label: label, Value: tidy(one.value), Unit: unit, Warn: warn.of(100), Crit: crit.of(100),
		})
	}
	return nil
}

// readings are the values of a counter: from its samples, or else read now.
func (s *System) readings(ctx context.Context, c *sampled, path counterPath, span time.Duration) (samples []instance, over string, err error) {
	if c != nil {
		samples, err = s.sampler.samples(c, span)
		if len(samples) > 0 && span > 0 {
			return samples, " on average over " + humanTime(span.Seconds()), nil
		}
		if len(samples) > 0 || err != nil {
			return samples, "", err
		}
	}
	samples, err = s.readNow(ctx, path)
	return samples, "", err
}

// readNow reads a counter that is not sampled.
func (s *System) readNow(ctx context.Context, path counterPath) ([]instance, error) {
	p, err := s.sampler.open(ctx, s.machine, path)
	if err != nil {
		return nil, err
	}
	defer p.release()
	values, err := p.read(ctx, s.machine)
	if err == nil && len(values) == 0 {
		if err = pause(ctx, sampleEvery); err == nil {
			values, err = p.read(ctx, s.machine)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("counter %s: %w", path, err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("counter %s has no value yet: ask again", path)
	}
	return values, nil
}

// unitOf is the unit of a counter's values in performance data, told by its
// English name. Rates have the unit of what they count, per second.
func unitOf(path counterPath) string {
	name := path.english().counter
	switch {
	case strings.Contains(name, "%"):
		return "%"
	case strings.Contains(name, "KBytes"):
		return "KB"
	case strings.Contains(name, "MBytes"), name == "Free Megabytes":
		return "MB"
	case strings.Contains(name, "Bytes"), name == "Working Set", name == "Commit Limit":
		return "B"
	case name == "System Up Time":
		return "s"
	}
	return ""
}

// humanValue writes a counter's value for people.
func humanValue(v float64, unit string) string {
	switch unit {
	case "%":
		return humanPercent(v)
	case "B":
		return humanBytes(v)
	case "s":
		return humanTime(v)
	}
	return strings.TrimSpace(fmt.Sprintf("%.6g %s", v, unit))
}
