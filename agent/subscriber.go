package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/zipmod"
)

// The bounds of what waits until a module is told of it, of each subscription.
const (
	maxFeed    = 256     // events that have not been looked at
	maxWaiting = 256     // events that it hears of
	maxBytes   = 4 << 20 // of those, as JSON
)

// maxVerdicts is the most commands of which a subscriber remembers whether it hears.
const maxVerdicts = 4096

// busyPause is how long a subscriber waits while the agent runs as many requests
// as it may.
const busyPause = time.Second

// A subscriber has a command of a module run for each event that the module
// subscribes to, one after the other.
type subscriber struct {
	agent  *Agent
	what   zipmod.Subscription
	module atomic.Pointer[module] // the version that is loaded

	feed    chan check.Event // of all events
	waiting chan []byte      // the events that it hears of, as JSON
	bytes   atomic.Int64     // of those
	gone    chan struct{}    // closed once the module does not subscribe any more

	told, lost atomic.Uint64

	// What only listen uses.
	skipped  uint64             // events that were lost since the last one that waits
	judged   *module            // for which the verdicts are
	verdicts map[[2]string]bool // whether it hears of a command, by its module and alias
}

func (a *Agent) newSubscriber(what zipmod.Subscription) *subscriber {
	return &subscriber{
		agent: a, what: what,
		feed: make(chan check.Event, maxFeed), waiting: make(chan []byte, maxWaiting), gone: make(chan struct{}),
	}
}

// subscribers makes the subscribers of the modules that a change adds. One that the
// version before had goes on in the new one, with what waits.
func (c *change) subscribers() {
	for _, m := range c.added {
		if m.zip == nil || !c.agent.config.Tell {
			continue
		}
		var before []*subscriber
		if old := c.old.modules[fold(m.name)]; old != nil {
			before = slices.Clone(old.subscribers)
		}
		for _, what := range m.zip.Subscriptions {
			i := slices.IndexFunc(before, func(s *subscriber) bool { return reflect.DeepEqual(s.what, what) })
			if i < 0 {
				before, i = append(before, c.agent.newSubscriber(what)), len(before)
			}
			m.subscribers = append(m.subscribers, before[i])
			before = slices.Delete(before, i, i+1)
		}
	}
}

// follow has the events told to the modules of the new table, and to no others.
func (c *change) follow() {
	var kept, in, out []*subscriber
	for _, m := range c.added {
		for _, s := range m.subscribers {
			if s.module.Swap(m) == nil {
				in = append(in, s)
			}
			kept = append(kept, s)
		}
	}
	for _, m := range c.removed() {
		for _, s := range m.subscribers {
			if !slices.Contains(kept, s) {
				out = append(out, s)
			}
		}
	}
	c.agent.follow(in, out)
}

// follow has the events told to some more subscribers, and to others no more.
func (a *Agent) follow(in, out []*subscriber) {
	for _, s := range in {
		a.telling.Go(s.listen)
		a.telling.Go(s.tell)
	}
	for _, s := range out {
		close(s.gone)
	}
	a.events.follow(in, out)
}

// listen queues the events that the module hears of.
func (s *subscriber) listen() {
	defer close(s.waiting)
	last := uint64(0)
	for e := range s.feed {
		if last > 0 {
			s.lose(e.Number - last - 1)
		}
		last = e.Number
		if s.hears(e) && !s.queue(e) {
			s.lose(1)
		}
	}
}

// hears tells whether the module hears of an event: one that it subscribes to, that
// no event has caused, and of a command that concerns it.
func (s *subscriber) hears(e check.Event) bool {
	if e.Request.Origin == check.Subscriber || s.what.On == zipmod.OnStateChange && !e.StateChange() {
		return false
	}
	m, c := s.module.Load(), s.agent.table.Load().commands[fold(e.Request.Command)]
	if c == nil || c.module.name != e.Module {
		return s.concerns(m, e.Module, e.Request.Command)
	}
	if s.judged != m || len(s.verdicts) > maxVerdicts {
		s.judged, s.verdicts = m, make(map[[2]string]bool)
	}
	key := [2]string{e.Module, c.alias}
	verdict, known := s.verdicts[key]
	if !known {
		verdict = s.concerns(m, e.Module, c.names...)
		s.verdicts[key] = verdict
	}
	return verdict
}

// concerns tells whether the module hears of a command that has some names: one of
// its own, of a module that it requires, or that it is allowed to hear of. A module's
// patterns may be made to be slow.
func (s *subscriber) concerns(m *module, of string, names ...string) bool {
	own := of != "" && (fold(of) == fold(m.name) || m.needs(of))
	allowed := func(name string) bool { return m.loaded.Access.Allows(zipmod.EventPath(name)) }
	return (own || slices.ContainsFunc(names, allowed)) && slices.ContainsFunc(names, s.what.Matches)
}

// queue puts an event where it waits, if there is room.
func (s *subscriber) queue(e check.Event) bool {
	doc, err := document(e, s.skipped)
	if err != nil || s.bytes.Add(int64(len(doc))) > maxBytes {
		s.bytes.Add(-int64(len(doc)))
		return false
	}
	select {
	case s.waiting <- doc:
		s.skipped = 0
		return true
	default:
		s.bytes.Add(-int64(len(doc)))
		return false
	}
}

// lose counts events that the module does not hear of, of which some may not have
// concerned it.
func (s *subscriber) lose(n uint64) {
	if n > 0 && s.skipped == 0 {
		s.log("a module is too slow for the events that it subscribes to; some are lost")
	}
	s.skipped += n
	s.lost.Add(n)
}

// maxText is how much of its text is left of a result that is too long.
const maxText = 4 << 10

// document is an event as a command of a module reads it: that of check.Event, and
// how many were lost before it. One that is too long is without the long output, the
// performance data and the end of the text.
func document(e check.Event, lost uint64) ([]byte, error) {
	doc, err := json.Marshal(e)
	if tail := fmt.Sprintf(`,"lost":%d}`, lost); err == nil && len(doc)+len(tail) <= MaxInput {
		return append(doc[:len(doc)-1], tail...), nil
	}
	text := e.Result.Text
	if err != nil || e.Result.Long == "" && e.Result.Perf == nil && len(text) <= maxText {
		return nil, cmp.Or(err, errors.New("the event is too long"))
	}
	e.Result = check.Result{State: e.Result.State, Text: text[:min(len(text), maxText)], Usage: e.Result.Usage}
	return document(e, lost)
}

// tell has the command run for each event that waits, until the module does not
// subscribe any more.
func (s *subscriber) tell() {
	untold := uint64(0)
	for doc := range s.waiting {
		s.bytes.Add(-int64(len(doc)))
		select {
		case <-s.gone:
			untold++
		default:
			s.run(doc)
		}
	}
	if s.lost.Add(untold); untold > 0 {
		s.log("a module was unloaded or changed before it was told of all events", "untold", untold)
	}
}

// run runs the command for an event. While the agent has no room for it, it waits.
func (s *subscriber) run(doc []byte) {
	name := s.module.Load().name + "." + s.what.Alias
	for {
		_, err := s.agent.Run(context.Background(), check.Request{Command: name, Args: s.what.Args, Input: doc, Origin: check.Subscriber})
		switch {
		case err == nil:
			s.told.Add(1)
			return
		case !errors.Is(err, check.ErrBusy) || !s.pause():
			s.lost.Add(1)
			s.log("a module could not be told of an event", "error", err)
			return
		}
	}
}

// pause waits a while. It tells whether the module still subscribes.
func (s *subscriber) pause() bool {
	timer := time.NewTimer(busyPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.gone:
		return false
	}
}

func (s *subscriber) log(message string, more ...any) {
	s.agent.config.Log.Warn(message, append([]any{"module", s.module.Load().name, "command", s.what.Alias}, more...)...)
}
