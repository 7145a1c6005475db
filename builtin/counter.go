package builtin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/internal/nearest"
)

// An instance is the value of a counter for one of the things that it counts,
// such as one disk. The name is empty where there is only one.
type instance struct {
	name  string
	value float64
}

// A probe reads one counter. It belongs to whoever opened it and is not safe
// for concurrent use.
type probe struct {
	// read returns the values now, of at most maxSeries instances. What counts
	// up is a rate since the call before, so that the first call returns none.
	read func(context.Context, machine) ([]instance, error)
	// close gives back what the system keeps for it; nil if that is nothing.
	close func()
	// every is how often the counter is worth reading.
	every time.Duration
}

// release gives back what the system keeps for the probe.
func (p probe) release() {
	if p.close != nil {
		p.close()
	}
}

// An opener finds a counter. An error says what could be had instead.
type opener func(context.Context, machine, counterPath) (probe, error)

// A counter is a performance counter computed from the machine's figures.
type counter struct {
	object, name string
	read         func(context.Context, machine) ([]raw, error)
	instance     func(string, []string) int // finds an instance that is not called by its name; nil: none
	rule         rule
}

// A raw is the figure that a counter is computed from, for one instance.
type raw struct {
	key   string // tells instances apart that follow one another under one name
	name  string
	value float64
	has   bool // the machine gives the figure
}

// A rule says how figures become values.
type rule struct {
	rate  bool                  // the value is the figure's growth per second
	mean  bool                  // _Total is the mean of the instances, not their sum
	slow  bool                  // reading it costs much
	after func(float64) float64 // applied to the value last; nil: nothing
}

const totalInstance = "_Total"

// openComputed opens a counter that is computed from the machine's figures.
func openComputed(ctx context.Context, m machine, path counterPath) (probe, error) {
	c, err := findCounter(path)
	if err != nil {
		return probe{}, err
	}
	rows, err := c.read(ctx, m)
	if err != nil {
		return probe{}, fmt.Errorf("counter %s: %w", path, err)
	}
	if _, err := c.pick(path, rows); err != nil {
		return probe{}, err
	}
	every := sampleEvery
	if c.rule.slow {
		every = sampleSlowly
	}
	last := growth{}
	return probe{every: every, read: func(ctx context.Context, m machine) ([]instance, error) {
		rows, err := c.read(ctx, m)
		if err != nil {
			return nil, err
		}
		picked, err := c.pick(path, rows)
		if err != nil {
			return nil, err
		}
		return c.combine(path, c.values(picked, &last)), nil
	}}, nil
}

// findCounter looks a counter up in the catalog.
func findCounter(path counterPath) (counter, error) {
	english := path.english()
	var alike []string
	for _, c := range catalog() {
		sameObject := foldCounter(c.object) == foldCounter(english.object)
		if sameObject && foldCounter(c.name) == foldCounter(english.counter) {
			return c, nil
		}
		alike = append(alike, counterPath{object: c.object, counter: c.name}.String())
	}
	wanted := counterPath{object: english.object, counter: english.counter}.String()
	return counter{}, fmt.Errorf("counter %s cannot be had on this machine; near to it are: %s", path, strings.Join(nearest.Sorted(wanted, alike, 6), ", "))
}

// pick chooses the rows that the path's instance stands for.
func (c counter) pick(path counterPath, rows []raw) ([]raw, error) {
	single := len(rows) == 1 && rows[0].name == ""
	switch {
	case single && path.instance == "", len(rows) == 0:
		return c.given(path, rows)
	case single:
		return nil, fmt.Errorf(`counter %s: %s has no instances; write \%s\%s`, path, c.object, c.object, c.name)
	case path.instance == "":
		return nil, fmt.Errorf("counter %s: say which instance; there are: %s", path, instanceList(rows, ""))
	}
	want := pattern(fold(path.instance))
	var picked []raw
	for _, r := range rows {
		if want.matches(r.name) {
			picked = append(picked, r)
		}
	}
	if len(picked) == 0 && fold(path.instance) == fold(totalInstance) {
		picked = rows
	}
	if i := c.find(path.instance, rows); len(picked) == 0 && i >= 0 {
		picked = rows[i : i+1]
	}
	if len(picked) == 0 {
		return nil, fmt.Errorf("counter %s: no instance %q; there are: %s", path, path.instance, instanceList(rows, path.instance))
	}
	return c.given(path, picked)
}

// find asks the counter's own rule for an instance; -1 if there is none.
func (c counter) find(want string, rows []raw) int {
	if c.instance == nil {
		return -1
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.name
	}
	return c.instance(want, names)
}

// given drops the rows for which the machine has no figure.
func (c counter) given(path counterPath, rows []raw) ([]raw, error) {
	var given []raw
	for _, r := range rows {
		if r.has {
			given = append(given, r)
		}
	}
	if len(given) == 0 {
		return nil, fmt.Errorf("counter %s cannot be had: this system does not tell %s", path, c.name)
	}
	return given[:min(len(given), maxSeries)], nil
}

func instanceList(rows []raw, want string) string {
	names := []string{totalInstance}
	for _, r := range rows {
		if r.name != totalInstance {
			names = append(names, r.name)
		}
	}
	return strings.Join(nearest.Sorted(want, names, 8), ", ")
}

// A growth remembers figures, to tell how they grow.
type growth struct {
	at      time.Time
	figures map[string]float64
}

// values makes values of figures.
func (c counter) values(rows []raw, last *growth) []instance {
	now := growth{time.Now(), make(map[string]float64, len(rows))}
	elapsed := now.at.Sub(last.at).Seconds()
	var values []instance
	for _, r := range rows {
		now.figures[r.key+"\x00"+r.name] = r.value
		v := r.value
		if c.rule.rate {
			before, ok := last.figures[r.key+"\x00"+r.name]
			if !ok || elapsed <= 0 || v < before {
				continue
			}
			v = (v - before) / elapsed
		}
		if c.rule.after != nil {
			v = c.rule.after(v)
		}
		values = append(values, instance{r.name, v})
	}
	*last = now
	return values
}

// combine makes the one value of _Total where the rows have none of that name.
func (c counter) combine(path counterPath, values []instance) []instance {
	if fold(path.instance) != fold(totalInstance) || len(values) == 0 || values[0].name == totalInstance {
		return values
	}
	total := instance{name: totalInstance}
	for _, v := range values {
		total.value += v.value
	}
	if c.rule.mean {
		total.value /= float64(len(values))
	}
	return []instance{total}
}
