package agent_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/providers/confine"
	"github.com/wasmagent/wasmagent/zipmod"
)

func TestReloadPutsTheNewVersionInPlace(t *testing.T) {
	t.Parallel()
	old, fresh := module(t, "old", nil, "old"), module(t, "fresh", nil, "fresh")
	a := newAgent(t, nil, old, fresh)
	load(t, a, module(t, "m", []string{"old"}, "x", "gone"), module(t, "user", []string{"m"}))
	wantText(t, a.Reload(t.Context(), module(t, "nowhere", nil)), "no zip module nowhere is loaded")

	next := readModule(t, "m", manifest{Modules: []string{"fresh"}, Scripts: []any{"x.wasm", "new.wasm"}, OnStart: []string{"nowhere"}},
		map[string]string{"x.wasm": says("OK next"), "new.wasm": says("OK new")})
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	wantModules(t, a, "fresh", "m", "user")
	wantAnswers(t, a, map[string]string{"x": "OK next", "m.new": "OK new", "gone": "", "m.gone": "", "old": "", "fresh": "OK fresh fresh"})
	if s := statusOf(t, a, "m"); s.Digest != next.Digest || s.State() != "degraded" || !s.Wanted {
		t.Errorf("%+v", s)
	}
}

func TestReloadThatFailsLeavesTheOldVersion(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	load(t, a, module(t, "m", nil, "x"), module(t, "other", nil, "y"))
	for _, next := range []*zipmod.Module{
		module(t, "m", []string{"nowhere"}, "z"),
		module(t, "m", nil, "z", "y"),
		readModule(t, "m", manifest{Scripts: []any{"z.wasm"}}, map[string]string{"z.wasm": "no program"}),
	} {
		if err := a.Reload(t.Context(), next); err == nil {
			t.Error("no error")
		}
		wantAnswers(t, a, map[string]string{"x": "OK m x", "m.x": "OK m x", "y": "OK other y", "z": ""})
	}
}

// While a module is reloaded over and over, no request fails.
func TestReloadLeavesNoRequestUnanswered(t *testing.T) {
	t.Parallel()
	const askers, reloads = 8, 30
	versions := []*zipmod.Module{module(t, "m", nil, "x", "y"), module(t, "m", nil, "x")}
	a := newAgent(t, nil)
	load(t, a, versions[0])
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range askers {
		wg.Go(func() {
			for ctx.Err() == nil {
				r, err := a.Run(t.Context(), check.Request{Command: "m.X"})
				if err != nil || r.Text != "OK m x" {
					t.Errorf("got %+v, %v", r, err)
					return
				}
			}
		})
	}
	for i := range reloads {
		if err := a.Reload(t.Context(), versions[(i+1)%2]); err != nil {
			t.Error(err)
		}
	}
	stop()
	wg.Wait()
}

// A module is closed only when the last run on it has ended.
func TestRunsInFlightEndOnTheirVersion(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	running, end, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	a.AddBuiltin("Slow", func() agent.Builtin {
		return closing{&builtin{name: "Slow", commands: map[string]check.Runner{"slow": check.RunnerFunc(
			func(context.Context, check.Request) (check.Result, error) {
				close(running)
				<-end
				select {
				case <-closed:
					return check.Result{}, errors.New("closed under a run")
				default:
					return check.Result{State: check.StateOK, Text: "slow"}, nil
				}
			})}}, closed}
	})
	if err := a.LoadBuiltin(t.Context(), "Slow"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { wantAnswers(t, a, map[string]string{"slow": "slow"}) })
	<-running
	impatient, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no time to wait"))
	wantText(t, a.Unload(impatient, "Slow"), "module Slow is unloaded and will be closed when its last run has ended", "no time to wait")
	wantModules(t, a)
	wantAnswers(t, a, map[string]string{"slow": ""})
	close(end)
	wg.Wait()
	<-closed
}

// closing tells when a builtin module is closed.
type closing struct {
	*builtin
	done chan struct{}
}

func (c closing) Close() error { close(c.done); return nil }

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	sys := newBuiltin(a, "Sys", "sys")
	load(t, a, module(t, "m", []string{"Sys"}, "x"))
	events, cancel := a.Subscribe(1)
	for range 2 {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if sys.closed.Load() != 1 {
		t.Errorf("the builtin module was closed %d times", sys.closed.Load())
	}
	if _, open := <-events; open {
		t.Error("the subscription goes on")
	}
	cancel()
	_, err := a.Run(t.Context(), check.Request{Command: "x"})
	wantText(t, err, "the agent is closed")
	wantText(t, a.Load(t.Context(), module(t, "n", nil, "x")), "the agent is closed")
	if late, _ := a.Subscribe(1); func() bool { _, open := <-late; return open }() {
		t.Error("a subscription after Close goes on")
	}
}

// shim is the only one of this process.
var shim, shimErr = confine.Self()

// TestMain lets the test binary be the shim that confines host scripts.
func TestMain(m *testing.M) {
	confine.Main()
	os.Exit(m.Run())
}

// A module with host scripts leaves nothing on the disk once it is unloaded.
func TestUnloadRemovesUnpackedModules(t *testing.T) {
	t.Parallel()
	if shimErr != nil {
		t.Fatal(shimErr)
	}
	dir := filepath.Join(t.TempDir(), "unpacked")
	scripts, err := providers.New(providers.Config{UnpackDir: dir, Shim: shim})
	if err != nil {
		t.Fatal(err)
	}
	a := agent.New(agent.Config{Providers: scripts, Grants: func(string) agent.Settings { return agent.Settings{Grant: everything} }})
	load(t, a, readModule(t, "m", manifest{Scripts: []any{"x.sh"}}, map[string]string{"x.sh": "echo OK from sh"}))
	_, err = a.Run(t.Context(), check.Request{Command: "x"})
	if err != nil && strings.Contains(err.Error(), "install it") {
		needs.Missing(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Unload(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "lock" {
		t.Errorf("left %v, %v; want the lock", left, err)
	}
}
