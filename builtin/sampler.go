package builtin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	sampleEvery  = time.Second      // how often a counter is read
	sampleSlowly = 10 * time.Second // how often a counter is read that costs much to read
	maxCounters  = 64               // counters sampled
	maxSeries    = 256              // instances of counters sampled, together
	maxAliases   = 8                // names of one counter
	goneAfter    = time.Minute      // instances not seen for so long make room for others
)

// A sampler reads counters from the time they are added. Its goroutine exists
// only while there are counters. It is safe for concurrent use.
type sampler struct {
	machine machine
	open    opener
	start   time.Time

	adding sync.Mutex // held while a counter is opened

	mu       sync.Mutex
	closed   bool
	counters []*sampled
	stop     context.CancelFunc
	stopped  chan struct{}
}

// A sampled is a counter that was added. Its probe is used by the goroutine
// only; the rest is guarded by the sampler's mutex.
type sampled struct {
	path    counterPath
	aliases []string
	probe   probe
	due     time.Duration
	values  map[string]*history // by instance
	err     error               // why the last reading gave less than it should
}

func newSampler(m machine, open opener) *sampler {
	return &sampler{machine: m, open: open, start: time.Now()}
}

// add samples a counter from now on, and lets it be called alias if that is
// not empty. To add a counter again gives it one more alias, or does nothing.
func (s *sampler) add(ctx context.Context, path counterPath, alias string) (fresh bool, err error) {
	s.adding.Lock()
	defer s.adding.Unlock()
	if there, err := s.name(path, alias); there || err != nil {
		return false, err
	}
	opened, err := s.open(ctx, s.machine, path)
	if err != nil {
		return false, err
	}
	c := &sampled{path: path, probe: opened, values: map[string]*history{}}
	if alias != "" {
		c.aliases = []string{alias}
	}
	if err := s.begin(c); err != nil {
		opened.release()
		return false, err
	}
	return true, nil
}

// name gives an alias to a counter that is sampled already.
func (s *sampler) name(path counterPath, alias string) (there bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var same *sampled
	for _, c := range s.counters {
		if c.path.key() == path.key() {
			same = c
		} else if c.called(alias) {
			return false, fmt.Errorf("alias %q is the counter %s already; choose another one", alias, c.path)
		}
	}
	if same == nil {
		return false, s.room()
	}
	if alias == "" || same.called(alias) {
		return true, nil
	}
	if len(same.aliases) >= maxAliases {
		return true, fmt.Errorf("counter %s has %d aliases already: use one of %s", path, maxAliases, strings.Join(same.aliases, ", "))
	}
	same.aliases = append(same.aliases, alias)
	return true, nil
}

// room tells why no more counters can be added.
func (s *sampler) room() error {
	switch {
	case s.closed:
		return errors.New("CheckSystem is closed: it samples no more counters")
	case len(s.counters) >= maxCounters:
		return fmt.Errorf("%d counters are sampled already, and no more can be", maxCounters)
	}
	return nil
}

func (c *sampled) called(alias string) bool {
	return slices.ContainsFunc(c.aliases, func(a string) bool { return fold(a) == fold(alias) })
}

// begin puts a counter among the sampled ones and starts the goroutine for
// the first of them.
func (s *sampler) begin(c *sampled) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(); err != nil {
		return err
	}
	s.counters = append(s.counters, c)
	if s.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		s.stop, s.stopped = cancel, make(chan struct{})
		go s.sample(ctx, s.stopped)
	}
	return nil
}

// close ends the goroutine and forgets all counters.
func (s *sampler) close() {
	s.mu.Lock()
	s.closed = true
	stop, stopped := s.stop, s.stopped
	s.stop = nil
	s.mu.Unlock()
	if stop != nil {
		stop()
		<-stopped
	}
}

// sample reads counters until ctx ends.
func (s *sampler) sample(ctx context.Context, stopped chan<- struct{}) {
	defer close(stopped)
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		s.collect(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.counters {
		c.probe.release()
	}
	s.counters = nil
}

// collect reads the counters that are due.
func (s *sampler) collect(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sampleSlowly)
	defer cancel()
	now, m := time.Since(s.start), s.machine.snapshot()
	for _, c := range s.take(now) {
		values, err := c.probe.read(ctx, m)
		s.store(c, now, values, err)
	}
}

// take returns the counters that are due, and says when they are due next.
func (s *sampler) take(now time.Duration) []*sampled {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*sampled
	for _, c := range s.counters {
		if now >= c.due {
			c.due = now + c.probe.every - sampleEvery/2
			due = append(due, c)
		}
	}
	return due
}

// store keeps what was read.
func (s *sampler) store(c *sampled, now time.Duration, values []instance, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.err = err
	for _, v := range values {
		switch {
		case c.values[v.name] != nil:
		case s.makeRoom(now):
			c.values[v.name] = newHistory()
		default:
			c.err = fmt.Errorf("more than %d instances are sampled; %q is left out", maxSeries, v.name)
			continue
		}
		c.values[v.name].add(now, v.value)
	}
}

// makeRoom tells whether one more instance can be sampled. If there are too
// many it drops the one that has been gone for longest, if that is long.
func (s *sampler) makeRoom(now time.Duration) bool {
	series := 0
	for _, c := range s.counters {
		series += len(c.values)
	}
	if series < maxSeries {
		return true
	}
	var values map[string]*history
	var gone string
	oldest := now - goneAfter
	for _, c := range s.counters {
		for name, h := range c.values {
			if h.newest < oldest {
				values, gone, oldest = c.values, name, h.newest
			}
		}
	}
	delete(values, gone)
	return values != nil
}

// find returns the sampled counter of that alias or path, or nil.
func (s *sampler) find(alias string, path counterPath) *sampled {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.counters {
		if c.called(alias) || c.path.key() == path.key() {
			return c
		}
	}
	return nil
}

// samples are the averages of a counter's instances over the last span, or
// their newest values if span is 0, by name. An error says why the last
// reading gave less than it should.
func (s *sampler) samples(c *sampled, span time.Duration) ([]instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Since(s.start)
	var all []instance
	for name, h := range c.values {
		value, known := h.latest, now-h.newest <= 3*c.probe.every
		if span > 0 {
			mean, n := h.mean(now, span)
			value, known = mean, n > 0
		}
		if known {
			all = append(all, instance{name, value})
		}
	}
	slices.SortFunc(all, func(a, b instance) int { return strings.Compare(natural(a.name), natural(b.name)) })
	return all, c.err
}
