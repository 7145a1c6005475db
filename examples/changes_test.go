package examples_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/schedule"
)

// A watched is a builtin module with one check, whose state can be set.
type watched struct{ state atomic.Uint32 }

func (s *watched) Description() string { return "a site" }
func (s *watched) Close() error        { return nil }

func (s *watched) Commands() map[string]check.Runner {
	return map[string]check.Runner{"check_site": check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
		state := check.State(s.state.Load())
		return check.Result{State: state, Text: "it is " + state.String()}, nil
	})}
}

// TestStateChanges has a scheduled check change its state, and the example module
// keep that.
func TestStateChanges(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("compiles a large program")
	}
	grant := granted(t, newAuthority(t), "/event/check_site", "/state/**")
	a := newAgent(t, grant, providers.Config{})
	manifest, err := os.ReadFile("state-changes/module.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "state-changes")
	compile(t, "./state-changes/scripts/changes", filepath.Join(dir, "scripts", "changes.wasm"), "GOOS=wasip1", "GOARCH=wasm")
	load(t, a, dir, manifest)
	own := &watched{}
	a.AddBuiltin("Site", func() agent.Builtin { return own })
	if err := a.LoadBuiltin(t.Context(), "Site"); err != nil {
		t.Fatal(err)
	}
	events, cancel := a.Subscribe(1000)
	defer cancel()

	s := schedule.New(schedule.Config{Run: a.RunScheduled})
	if err := s.Set([]schedule.Check{{Name: "home page", Command: "check_site", Interval: time.Hour, MaxAttempts: 2}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Serve(ctx) }()
	defer func() { stop(); <-ended }()
	for _, state := range []check.State{check.StateOK, check.StateCritical, check.StateCritical, check.StateCritical, check.StateWarning, check.StateOK, check.StateUnknown, check.StateOK} {
		own.state.Store(uint32(state))
		if _, err := s.RunNow(t.Context(), "home page"); err != nil {
			t.Fatal(err)
		}
	}
	for told := 0; told < 3; {
		if e := <-events; e.Request.Origin == check.Subscriber {
			told++
			if e.Result.Text != "CHANGES OK: noted" {
				t.Errorf("of an event it said %+v, %v", e.Result, e.Err)
			}
		}
	}
	r, err := a.Run(t.Context(), check.Request{Command: "changes"})
	if err != nil || r.Text != "CHANGES OK: 3 state changes" {
		t.Fatalf("%+v, %v", r, err)
	}
	lines := strings.Split(r.Long, "\n")
	for i, want := range []string{"home page is OK: it is OK", "home page is WARNING: it is WARNING", "home page is CRITICAL: it is CRITICAL"} {
		if i >= len(lines) || !strings.HasSuffix(lines[i], want) {
			t.Errorf("the lines are %q, want %q in place %d", lines, want, i)
		}
	}
}
