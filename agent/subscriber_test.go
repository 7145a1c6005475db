package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A subscription is one of a manifest.
type subscription struct {
	On       string   `json:"on"`
	Commands []string `json:"commands,omitempty"`
	Run      string   `json:"run"`
}

// told is what a module is told of an event.
type told struct {
	Number      uint64       `json:"number"`
	Module      string       `json:"module"`
	Command     string       `json:"command"`
	Origin      check.Origin `json:"origin"`
	Result      check.Result `json:"result"`
	StateChange bool         `json:"state_change"`
	Lost        *uint64      `json:"lost"`
}

// telling makes a Config tell modules, which are all granted this.
func telling(c *agent.Config, allow ...string) {
	c.Tell = true
	grants(agent.Settings{Grant: providers.Grant{Allow: policy.Patterns(allow).Grants()}})(c)
}

// listener is a module whose command "hear" answers with what it is told of. It
// requires the module Own.
func listener(t testing.TB, version string, permissions []string, subscriptions ...subscription) *zipmod.Module {
	t.Helper()
	for i := range subscriptions {
		subscriptions[i].Run = "hear"
	}
	return readModule(t, "listener", manifest{Version: version, Modules: []string{"Own"}, Scripts: []any{"hear.wasm"}, Subscribe: subscriptions, Permissions: permissions},
		map[string]string{"hear.wasm": string(wasmtest.Copy())})
}

// A hearing reads what the modules of an agent are told of.
type hearing struct{ events <-chan check.Event }

func hearings(t testing.TB, a *agent.Agent) hearing {
	events, cancel := a.Subscribe(10_000)
	t.Cleanup(cancel)
	return hearing{events}
}

// next is the next event that a module was told of.
func (h hearing) next(t testing.TB) (heard told) {
	t.Helper()
	for e := range h.events {
		if e.Request.Origin != check.Subscriber {
			continue
		}
		if err := json.Unmarshal([]byte(e.Result.Text), &heard); err != nil || e.Err != nil || e.Request.Command != "listener.hear" {
			t.Fatalf("%+v: %v", e, err)
		}
		return heard
	}
	t.Fatal("there are no more events")
	return heard
}

func ask(t testing.TB, a *agent.Agent, command string) {
	t.Helper()
	if _, err := a.Run(t.Context(), check.Request{Command: command, Args: []string{"a secret"}, Origin: check.REST}); err != nil {
		t.Error(err)
	}
}

// owner makes the builtin modules Own and Other available, and loads Other.
func owners(t testing.TB, a *agent.Agent) {
	t.Helper()
	newBuiltin(a, "Own", "own", "last")
	newBuiltin(a, "Other", "other", "Other.dotted")
	if err := a.LoadBuiltin(t.Context(), "Other"); err != nil {
		t.Fatal(err)
	}
}

func TestModulesAreToldOfEvents(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		on          string
		commands    []string
		asks, allow string
		run, heard  string
	}{
		{"what it requires", "result", nil, "", "", "own Own.own OWN last", "own Own.own OWN last"},
		{"its own", "result", nil, "", "", "hear last", "hear last"},
		{"a pattern", "result", []string{"o*", "LAST"}, "", "", "own hear OWN last", "own OWN last"},
		{"a pattern of a module", "result", []string{"own.*"}, "", "", "hear own Own.last", "own Own.last"},
		{"another's without permission", "result", nil, "", "/event/*", "other last", "last"},
		{"another's without grant", "result", nil, "/event/*", "", "other last", "last"},
		{"another's", "result", nil, "/event/*", "/event/other", "other OTHER Other.other Other.dotted last", "other OTHER Other.other last"},
		{"another's by its module", "result", nil, "/event/*", "/event/Other.*", "other Other.dotted last", "other Other.dotted last"},
		{"another's that it does not subscribe to", "result", []string{"last"}, "/event/*", "/event/*", "other own last", "last"},
		{"what is no command", "result", nil, "", "", "unknown own", "own"},
		{"what is no command, with a grant", "result", nil, "/event/*", "/event/unknown", "unknown Unknown own", "unknown own"},
		{"no state change", "state_change", nil, "", "", "own other", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := newAgent(t, func(c *agent.Config) { telling(c, strings.Fields(row.allow)...) })
			owners(t, a)
			load(t, a, listener(t, "", strings.Fields(row.asks), subscription{On: row.on, Commands: row.commands}))
			h := hearings(t, a)
			for command := range strings.FieldsSeq(row.run) {
				_, _ = a.Run(t.Context(), check.Request{Command: command, Args: []string{"a secret"}, Origin: check.REST})
			}
			heard := strings.Fields(row.heard)
			for _, command := range heard {
				if got := h.next(t); got.Command != command || got.Origin != check.REST || got.Lost == nil || *got.Lost != 0 {
					t.Errorf("it is told of %+v, want %s", got, command)
				}
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			for e := range h.events {
				if e.Request.Origin == check.Subscriber {
					t.Errorf("it is told of %s too", e.Result.Text)
				}
			}
		})
	}
}

func TestModulesAreToldOfStateChanges(t *testing.T) {
	t.Parallel()
	a := newAgent(t, func(c *agent.Config) { telling(c) })
	owners(t, a)
	load(t, a, listener(t, "", nil, subscription{On: "state_change"}))
	h := hearings(t, a)
	for _, changed := range []bool{false, true, false, true} {
		e := a.RunScheduled(t.Context(), check.Request{Command: "own", Origin: check.Schedule}, func(check.Event) check.Standing { return check.Standing{Check: "c", Changed: changed} })
		if e.StateChange() != changed {
			t.Errorf("%+v", e)
		}
	}
	first, second := h.next(t), h.next(t)
	if first.Number != 2 || !first.StateChange || first.Origin != check.Schedule || second.Number < 4 || !second.StateChange {
		t.Errorf("it is told of %+v and %+v", first, second)
	}
}

// A module whose command for events runs other commands hears of none of those, nor
// of its own run.
func TestEventsCauseNoEvents(t *testing.T) {
	t.Parallel()
	a := newAgent(t, func(c *agent.Config) { telling(c, "/event/*") })
	owners(t, a)
	calls := new(reacher).open("command/own", false, true).read(4).wasm()
	load(t, a, readModule(t, "caller", manifest{Modules: []string{"Own"}, Scripts: []any{"call.wasm"}, Subscribe: []subscription{{On: "result", Run: "call"}}, Permissions: []string{"/event/*"}}, map[string]string{"call.wasm": calls}))
	events, cancel := a.Subscribe(100)
	defer cancel()
	const rounds = 3
	for range rounds {
		ask(t, a, "other")
	}
	counts := map[string]int{}
	for e := range events {
		counts[fmt.Sprint(e.Request.Command, " ", e.Request.Origin)]++
		if e.Request.Command == "caller.call" && counts["caller.call event"] == rounds {
			cancel()
		}
	}
	if want := map[string]int{"other rest": rounds, "own event": rounds, "caller.call event": rounds}; fmt.Sprint(counts) != fmt.Sprint(want) {
		t.Errorf("the events are %v, want %v", counts, want)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if s := a.Modules(); len(s) != 0 {
		t.Errorf("%+v", s)
	}
}

// holder is a module that is told of what the module Own does, by a command that
// lasts until the command hold ends.
func holder(t testing.TB, on subscription) *zipmod.Module {
	t.Helper()
	on.Run = "wait"
	return readModule(t, "holder", manifest{Modules: []string{"Own"}, Scripts: []any{"wait.wasm"}, Subscribe: []subscription{on}},
		map[string]string{"wait.wasm": new(reacher).open("command/hold", false, true).read(4).wasm()})
}

// A hold is a command that lasts until it is told to end.
type hold struct{ begun, end chan struct{} }

func newHold(a *agent.Agent) hold {
	h := hold{make(chan struct{}, 1000), make(chan struct{})}
	own := newBuiltin(a, "Own", "own", "last")
	own.commands["hold"] = check.RunnerFunc(func(ctx context.Context, _ check.Request) (check.Result, error) {
		h.begun <- struct{}{}
		select {
		case <-h.end:
		case <-ctx.Done():
		}
		return check.Result{State: check.StateOK}, nil
	})
	return h
}

// A warnings keeps what was logged.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *warnings) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *warnings) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func logging(c *agent.Config) *warnings {
	w := &warnings{}
	c.Log = slog.New(slog.NewTextHandler(w, nil))
	return w
}

// waitFor waits for a subscription of a module that is as wanted.
func waitFor(t *testing.T, a *agent.Agent, module string, is func(agent.Subscription) bool) agent.Subscription {
	t.Helper()
	events, cancel := a.Subscribe(1)
	defer cancel()
	for {
		if s := statusOf(t, a, module).Subscriptions[0]; is(s) {
			return s
		}
		select {
		case <-events:
		case <-t.Context().Done():
			t.Fatal("it never is")
		case <-time.After(time.Millisecond):
		}
	}
}

// A command that is slow delays nobody, and what it is too slow for is counted.
func TestSlowModulesLoseEvents(t *testing.T) {
	t.Parallel()
	var log *warnings
	a := newAgent(t, func(c *agent.Config) { telling(c); log = logging(c) })
	h := newHold(a)
	load(t, a, holder(t, subscription{On: "result", Commands: []string{"own"}}))
	ask(t, a, "own")
	<-h.begun
	const more = 1000
	for range more {
		ask(t, a, "own")
	}
	s := waitFor(t, a, "holder", func(s agent.Subscription) bool { return s.Lost > 0 })
	if s.Told != 0 {
		t.Errorf("it was told of %d while it was not done", s.Told)
	}
	close(h.end)
	waitFor(t, a, "holder", func(s agent.Subscription) bool { return s.Told > 256 }) // all that waited
	if text := log.String(); !strings.Contains(text, "too slow") || !strings.Contains(text, "module=holder command=wait") {
		t.Errorf("the log says %s", text)
	}
}

// What is lost before an event is said with it.
func TestModulesSeeWhatIsLost(t *testing.T) {
	t.Parallel()
	a := newAgent(t, func(c *agent.Config) { telling(c) })
	owners(t, a)
	load(t, a, listener(t, "", nil, subscription{On: "result", Commands: []string{"own"}}))
	h := hearings(t, a)
	const runs = 3000
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			for range runs / 3 {
				ask(t, a, "own")
			}
		})
	}
	running.Wait()
	// Whatever is lost is said with the next event that is told.
	said, heard := uint64(0), uint64(0)
	for range runs {
		before := statusOf(t, a, "listener").Subscriptions[0]
		ask(t, a, "own")
		after := waitFor(t, a, "listener", func(s agent.Subscription) bool { return s.Told+s.Lost > before.Told+before.Lost })
		for ; heard < after.Told; heard++ {
			said += *h.next(t).Lost
		}
		if said > 0 && said == after.Lost {
			return
		}
	}
	t.Errorf("%d were said to be lost, of %d", said, statusOf(t, a, "listener").Subscriptions[0].Lost)
}

// An event that is too long comes without what makes it so.
func TestLongEventsAreShortened(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", agent.MaxInput)
	for name, result := range map[string]check.Result{
		"long output": {State: check.StateCritical, Text: "text", Long: long},
		"text":        {State: check.StateCritical, Text: "text" + long},
		"performance": {State: check.StateCritical, Text: "text", Perf: []check.Perf{{Label: long}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgent(t, func(c *agent.Config) { telling(c) })
			own := newBuiltin(a, "Own", "own")
			own.commands["own"] = check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) { return result, nil })
			load(t, a, listener(t, "", nil, subscription{On: "result"}))
			h := hearings(t, a)
			ask(t, a, "own")
			if got := h.next(t).Result; got.State != check.StateCritical || !strings.HasPrefix(got.Text, "text") || len(got.Text) > 4<<10 || got.Long != "" || len(got.Perf) > 0 {
				t.Errorf("it is told of %.200v", got)
			}
		})
	}
}

// A subscription that both versions of a module have goes on with what waits; one
// that only the old version has ends, and one of the new version begins.
func TestSubscriptionsComeAndGoWithModules(t *testing.T) {
	t.Parallel()
	var log *warnings
	a := newAgent(t, func(c *agent.Config) { telling(c); log = logging(c) })
	h := newHold(a)
	same := subscription{On: "result", Commands: []string{"own"}}
	load(t, a, holder(t, same))
	for range 3 {
		ask(t, a, "own")
	}
	<-h.begun
	replacement := readModule(t, "holder", manifest{Version: "2", Modules: []string{"Own"}, Scripts: []any{"wait.wasm"}, Subscribe: []subscription{{On: "result", Commands: []string{"own"}, Run: "wait"}}},
		map[string]string{"wait.wasm": says("OK")})
	if err := a.Reload(t.Context(), replacement); err != nil {
		t.Fatal(err)
	}
	close(h.end)
	waitFor(t, a, "holder", func(s agent.Subscription) bool { return s.Told == 3 })
	if len(h.begun) > 0 {
		t.Error("the old version was told of an event after the new one was there")
	}

	other := readModule(t, "holder", manifest{Version: "3", Modules: []string{"Own"}, Scripts: []any{"wait.wasm"}, Subscribe: []subscription{{On: "result", Commands: []string{"last"}, Run: "wait -v"}}},
		map[string]string{"wait.wasm": says("OK")})
	if err := a.Reload(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	ask(t, a, "own")
	ask(t, a, "last")
	s := waitFor(t, a, "holder", func(s agent.Subscription) bool { return s.Told == 1 })
	if s.Run != "wait -v" || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
	if err := a.Unload(t.Context(), "holder"); err != nil {
		t.Fatal(err)
	}
	if log.String() != "" {
		t.Errorf("the log says %s", log)
	}
}

// What waits for a module that is unloaded is said to be lost.
func TestUnloadedModulesAreToldNoMore(t *testing.T) {
	t.Parallel()
	var log *warnings
	a := newAgent(t, func(c *agent.Config) { telling(c); log = logging(c) })
	h := newHold(a)
	if err := a.LoadBuiltin(t.Context(), "Own"); err != nil {
		t.Fatal(err)
	}
	load(t, a, holder(t, subscription{On: "result", Commands: []string{"own"}}))
	for range 3 {
		ask(t, a, "own")
	}
	<-h.begun
	unloaded := make(chan error)
	go func() { unloaded <- a.Unload(context.Background(), "holder") }()
	for len(a.Modules()) > 1 {
		ask(t, a, "last")
	}
	close(h.end)
	if err := <-unloaded; err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if text := log.String(); !strings.Contains(text, "before it was told of all events") || !strings.Contains(text, "untold=2") {
		t.Errorf("the log says %s", text)
	}
}

// While the agent is busy, events wait.
func TestEventsWaitForRoom(t *testing.T) {
	t.Parallel()
	a := newAgent(t, func(c *agent.Config) { telling(c); c.Runs = 1 })
	h := newHold(a)
	load(t, a, listener(t, "", nil, subscription{On: "result", Commands: []string{"own", "hold"}}))
	events, cancel := a.Subscribe(100)
	defer cancel()
	var holding sync.WaitGroup
	ask(t, a, "own")
	holding.Go(func() { _, _ = a.Run(t.Context(), check.Request{Command: "hold"}) })
	for e := range events {
		if e.Request.Origin == check.Subscriber {
			break // it was told, or there was no room
		}
	}
	close(h.end)
	holding.Wait()
	if s := waitFor(t, a, "listener", func(s agent.Subscription) bool { return s.Told >= 1 }); s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// Without Tell modules are told of nothing, and the status says what they want.
func TestModulesAreNotToldUnlessConfigured(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	owners(t, a)
	load(t, a, listener(t, "", nil, subscription{On: "result", Commands: []string{"own"}}))
	h := hearings(t, a)
	ask(t, a, "own")
	s := statusOf(t, a, "listener").Subscriptions
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if e := <-h.events; e.Request.Command != "own" {
		t.Errorf("%+v", e)
	}
	if e, more := <-h.events; more {
		t.Errorf("%+v", e)
	}
	if len(s) != 1 || s[0].On != "result" || s[0].Run != "hear" || fmt.Sprint(s[0].Commands) != "[own]" || s[0].Told+s[0].Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// A subscription that goes on in a new version hears of what that one may hear of.
func TestNewVersionsHearOfWhatTheyMay(t *testing.T) {
	t.Parallel()
	a := newAgent(t, func(c *agent.Config) { telling(c, "/event/*") })
	owners(t, a)
	h := hearings(t, a)
	for version, row := range []struct {
		asks  []string
		heard string
	}{{[]string{"/event/*"}, "other last"}, {nil, "last"}, {[]string{"/event/other"}, "other last"}} {
		m := listener(t, fmt.Sprint(version), row.asks, subscription{On: "result"})
		change := a.Reload
		if version == 0 {
			change = a.Load
		}
		if err := change(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		ask(t, a, "other")
		ask(t, a, "last")
		for command := range strings.FieldsSeq(row.heard) {
			if got := h.next(t); got.Command != command {
				t.Errorf("version %d is told of %s, want %s", version, got.Command, command)
			}
		}
	}
}
