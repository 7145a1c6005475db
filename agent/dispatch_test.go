package agent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/zipmod"
)

// withCommands is an agent with one loaded builtin module, named Test.
func withCommands(t testing.TB, c agent.Config, commands map[string]check.RunnerFunc) *agent.Agent {
	t.Helper()
	a := newAgent(t, func(have *agent.Config) { have.Runs, have.Time = c.Runs, c.Time })
	b := &builtin{name: "Test", commands: map[string]check.Runner{}}
	for alias, run := range commands {
		b.commands[alias] = run
	}
	a.AddBuiltin("Test", func() agent.Builtin { return b })
	if err := a.LoadBuiltin(t.Context(), "Test"); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestUnknownCommandNamesTheNearest(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	newBuiltin(a, "CheckSystem", "check_cpu", "check_memory", "check_swap", "check_drivesize", "check_mem", "CheckSystem.add")
	if err := a.LoadBuiltin(t.Context(), "CheckSystem"); err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string][]string{
		"check_memroy":             {"check_memory", "check_mem"},
		"CHECK_CPUS":               {"check_cpu"},
		"chekc_drivesize":          {"check_drivesize"},
		"CheckSystem.ad":           {"CheckSystem.add"},
		"checksystem.check_swop":   {"CheckSystem.check_swap", "CheckSystem.check_cpu", "CheckSystem.check_mem"},
		"entirely_different":       nil,
		"":                         nil,
		"x":                        nil,
		strings.Repeat("x", 500):   nil,
		"check_memory\x00\xff":     {"check_memory"},
		strings.Repeat("check", 9): nil,
	} {
		_, err := a.Run(t.Context(), check.Request{Command: asked})
		var unknown *agent.UnknownCommandError
		if !errors.As(err, &unknown) || !errors.Is(err, check.ErrUnknownCommand) || unknown.Command != asked || !slices.Equal(unknown.Nearest, want) {
			t.Errorf("%.60q: got %v, want %q", asked, err, want)
		}
	}
	_, err := a.Run(t.Context(), check.Request{Command: "check_memroy"})
	wantText(t, err, `no command "check_memroy" is loaded; did you mean check_memory, check_mem?`)
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	a := withCommands(t, agent.Config{}, map[string]check.RunnerFunc{"x": answers("x")})
	events, cancel := a.Subscribe(10)
	defer cancel()
	for name, row := range map[string]struct {
		req  check.Request
		want string
	}{
		"name":  {check.Request{Command: strings.Repeat("x", 1<<20)}, "longer than 512 bytes"},
		"count": {check.Request{Command: "x", Args: make([]string, 1<<20)}, "1048576 arguments are more than 1024"},
		"size":  {check.Request{Command: "x", Args: []string{strings.Repeat("x", 1<<20)}}, "1048576 bytes of arguments are more than 65536"},
	} {
		_, err := a.Run(t.Context(), row.req)
		wantText(t, err, row.want)
		if e := <-events; len(e.Request.Command) > agent.MaxCommand || len(e.Request.Args) > 0 || e.Err == nil {
			t.Errorf("%s: the event keeps a request of %d arguments, %v", name, len(e.Request.Args), e.Err)
		}
	}
	most := check.Request{Command: "x", Args: slices.Repeat([]string{strings.Repeat("x", 64)}, 1024)}
	if _, err := a.Run(t.Context(), most); err != nil {
		t.Error(err)
	}
}

func TestPanicIsTheCommandsError(t *testing.T) {
	t.Parallel()
	a := withCommands(t, agent.Config{Runs: 1}, map[string]check.RunnerFunc{
		"bad":  func(context.Context, check.Request) (check.Result, error) { panic("boom") },
		"good": answers("good"),
	})
	for range 3 { // more often than runs are allowed at one time
		_, err := a.Run(t.Context(), check.Request{Command: "bad"})
		wantText(t, err, "command bad panicked: boom", "module Test")
	}
	wantAnswers(t, a, map[string]string{"good": "good"})
	if err := a.Unload(t.Context(), "Test"); err != nil { // the panics hold nothing
		t.Error(err)
	}
}

func TestRunsAreBounded(t *testing.T) {
	t.Parallel()
	running, end := make(chan struct{}), make(chan struct{})
	var a *agent.Agent
	a = withCommands(t, agent.Config{Runs: 2}, map[string]check.RunnerFunc{
		"slow": func(context.Context, check.Request) (check.Result, error) {
			running <- struct{}{}
			<-end
			return check.Result{State: check.StateOK, Text: "slow"}, nil
		},
		"quick": answers("quick"),
		"nested": func(ctx context.Context, _ check.Request) (check.Result, error) {
			running <- struct{}{}
			<-end
			return a.Run(ctx, check.Request{Command: "quick", Origin: check.Check})
		},
	})
	var wg sync.WaitGroup
	for _, command := range []string{"slow", "nested"} {
		text := map[string]string{"slow": "slow", "nested": "quick"}[command]
		wg.Go(func() { wantAnswers(t, a, map[string]string{command: text}) })
		<-running
	}
	_, err := a.Run(t.Context(), check.Request{Command: "quick"})
	wantText(t, err, "too many checks are running: 2, which is the agent's limit")
	if !errors.Is(err, check.ErrBusy) {
		t.Error("the refusal does not match check.ErrBusy")
	}
	if n := a.Running(); n != 2 {
		t.Errorf("%d checks are running, want 2", n)
	}
	close(end)
	wg.Wait()
	if n := a.Running(); n != 0 {
		t.Errorf("%d checks are running, want none", n)
	}
	wantAnswers(t, a, map[string]string{"quick": "quick"})
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	var a *agent.Agent
	depth := 0
	a = withCommands(t, agent.Config{Runs: 1}, map[string]check.RunnerFunc{
		"self": func(ctx context.Context, req check.Request) (check.Result, error) {
			depth++
			return a.Run(ctx, req)
		},
	})
	_, err := a.Run(t.Context(), check.Request{Command: "self"})
	wantText(t, err, "command self is not run: commands run one another 8 deep already, perhaps in a circle")
	if depth != agent.MaxNesting {
		t.Errorf("%d runs, want %d", depth, agent.MaxNesting)
	}
}

// TestCallsAreBounded has a command that runs another one until that is refused:
// all that runs for a request counts, and the next request begins anew.
func TestCallsAreBounded(t *testing.T) {
	t.Parallel()
	var a *agent.Agent
	calls := 0
	a = withCommands(t, agent.Config{}, map[string]check.RunnerFunc{
		"many": func(ctx context.Context, _ check.Request) (check.Result, error) {
			for {
				if result, err := a.Run(ctx, check.Request{Command: "twice"}); err != nil {
					return result, err
				}
			}
		},
		"twice": func(ctx context.Context, _ check.Request) (check.Result, error) {
			return a.Run(ctx, check.Request{Command: "once"})
		},
		"once": func(context.Context, check.Request) (check.Result, error) {
			calls++
			return check.Result{}, nil
		},
	})
	for range 2 {
		calls = 0
		_, err := a.Run(t.Context(), check.Request{Command: "many"})
		wantText(t, err, "is not run: 256 commands were run for this request, which is the limit; run fewer in one check")
		if want := (agent.MaxCalls - 1) / 2; calls != want {
			t.Errorf("%d calls of once, want %d", calls, want)
		}
	}
}

func TestBuiltinCommandsHaveATimeLimit(t *testing.T) {
	t.Parallel()
	a := withCommands(t, agent.Config{Time: time.Millisecond}, map[string]check.RunnerFunc{
		"waits": func(ctx context.Context, _ check.Request) (check.Result, error) {
			<-ctx.Done()
			return check.Result{}, context.Cause(ctx)
		},
	})
	_, err := a.Run(t.Context(), check.Request{Command: "waits"})
	wantText(t, err, "stopped after its time limit of 1ms")
}

func TestEveryRunIsOneEvent(t *testing.T) {
	t.Parallel()
	status := int64(1)
	a := withCommands(t, agent.Config{}, map[string]check.RunnerFunc{
		"ok": answers("fine"),
		"measured": func(context.Context, check.Request) (check.Result, error) {
			return check.Result{State: check.StateWarning, Usage: check.Usage{Wall: 42, ExitStatus: &status}}, nil
		},
		"error": func(context.Context, check.Request) (check.Result, error) {
			return check.Result{State: check.StateOK, Text: "no information", Usage: check.Usage{Wall: 7}}, errors.New("went wrong")
		},
		"panic": func(context.Context, check.Request) (check.Result, error) { panic("boom") },
	})
	events, cancel := a.Subscribe(10)
	defer cancel()
	rows := []struct {
		command, module, text string
		state                 check.State
		wall                  time.Duration // zero is any
	}{
		{"ok", "Test", "fine", check.StateOK, 0},
		{"Test.OK", "Test", "fine", check.StateOK, 0},
		{"measured", "Test", "", check.StateWarning, 42},
		{"error", "Test", "went wrong", check.StateUnknown, 7},
		{"panic", "Test", "panicked", check.StateUnknown, 0},
		{"nowhere", "", "no command", check.StateUnknown, 0},
	}
	for i, row := range rows {
		req := check.Request{Command: row.command, Args: []string{"a"}, Origin: check.CommandLine}
		result, err := a.Run(t.Context(), req)
		e := <-events
		switch {
		case e.Number != uint64(i+1), e.Module != row.module, e.Result.State != row.state, !strings.Contains(e.Result.Text, row.text),
			row.wall != 0 && e.Result.Usage.Wall != row.wall, e.Time.IsZero(), !errors.Is(e.Err, err), e.Request.Command != row.command, len(e.Request.Args) != 1:
			t.Errorf("%s: event %+v", row.command, e)
		case result.Usage != e.Result.Usage, err != nil && (result.Text != "" || result.State != check.StateUnknown):
			t.Errorf("%s: answered %+v, and the event has %+v", row.command, result, e.Result)
		}
	}
	if len(events) != 0 {
		t.Errorf("%d events too many", len(events))
	}
}

// TestPing leaves no event and takes no room, whether or not there is any.
func TestPing(t *testing.T) {
	t.Parallel()
	running, end := make(chan struct{}), make(chan struct{})
	a := withCommands(t, agent.Config{Runs: 1}, map[string]check.RunnerFunc{
		"x": func(context.Context, check.Request) (check.Result, error) {
			running <- struct{}{}
			<-end
			return check.Result{State: check.StateOK, Text: "x"}, nil
		},
	})
	events, cancel := a.Subscribe(1)
	defer cancel()
	a.Ping()
	var wg sync.WaitGroup
	wg.Go(func() { wantAnswers(t, a, map[string]string{"x": "x"}) })
	<-running
	a.Ping() // when the agent is at its limit
	close(end)
	wg.Wait()
	if e := <-events; e.Number != 1 || e.Request.Command != "x" {
		t.Errorf("the first event is %+v", e)
	}
}

func TestSlowSubscriberSeesAGap(t *testing.T) {
	t.Parallel()
	a := withCommands(t, agent.Config{}, map[string]check.RunnerFunc{"x": answers("x")})
	slow, cancel := a.Subscribe(0)
	all, cancelAll := a.Subscribe(100)
	run := func(times int) {
		for range times {
			wantAnswers(t, a, map[string]string{"x": "x"})
		}
	}
	run(5)
	if e := <-slow; e.Number != 1 {
		t.Errorf("first event %d", e.Number)
	}
	run(1)
	if e := <-slow; e.Number != 6 {
		t.Errorf("event %d after the gap, want 6", e.Number)
	}
	cancel()
	cancel() // twice is once
	if _, open := <-slow; open {
		t.Error("events after cancel")
	}
	run(1)
	cancelAll()
	var numbers []uint64
	for e := range all {
		numbers = append(numbers, e.Number)
	}
	if want := []uint64{1, 2, 3, 4, 5, 6, 7}; !slices.Equal(numbers, want) {
		t.Errorf("events %d, want %d", numbers, want)
	}
}

func TestEventsOfParallelRunsAreInOrder(t *testing.T) {
	t.Parallel()
	const askers, runs = 4, 50
	a := withCommands(t, agent.Config{}, map[string]check.RunnerFunc{"x": answers("x")})
	events, cancel := a.Subscribe(askers * runs)
	var wg sync.WaitGroup
	for range askers {
		wg.Go(func() {
			for range runs {
				wantAnswers(t, a, map[string]string{"x": "x"})
			}
		})
	}
	wg.Wait()
	cancel()
	next := uint64(1)
	for e := range events {
		if e.Number != next {
			t.Fatalf("event %d, want %d", e.Number, next)
		}
		next++
	}
	if next != askers*runs+1 {
		t.Errorf("%d events, want %d", next-1, askers*runs)
	}
}

func BenchmarkUnknownCommand(b *testing.B) {
	a := newAgent(b, nil)
	for i := range 1000 {
		name := fmt.Sprintf("Module%d", i)
		newBuiltin(a, name, fmt.Sprintf("check_%d", i))
		if err := a.LoadBuiltin(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := a.Run(b.Context(), check.Request{Command: "chekc_500"}); err == nil {
			b.Fatal("found")
		}
	}
}

// BenchmarkLoad loads modules of one tiny program each into an agent that has
// compiled none of them yet, and unloads them again.
func BenchmarkLoad(b *testing.B) {
	for _, count := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("modules=%d", count), func(b *testing.B) {
			var modules []*zipmod.Module
			for i := range count {
				modules = append(modules, module(b, fmt.Sprintf("m%d", i), nil, fmt.Sprintf("check_%d", i)))
			}
			a := newAgent(b, nil)
			b.ReportAllocs()
			for b.Loop() {
				load(b, a, modules...)
				b.StopTimer()
				for _, m := range modules {
					if err := a.Unload(b.Context(), m.Name); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
			}
		})
	}
}
