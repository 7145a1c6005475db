package agent_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

// selection wants modules that are granted what settings say, and finds those of
// found.
func selection(settings agent.Settings, modules []*zipmod.Module, found ...*zipmod.Module) agent.Selection {
	return agent.Selection{
		Modules: modules,
		Find:    finding(found),
		Grants:  func(string) agent.Settings { return settings },
		Same:    func(string) bool { return true },
	}
}

func wantApplied(t *testing.T, a *agent.Agent, s agent.Selection, want agent.Applied) {
	t.Helper()
	if got, err := a.Apply(t.Context(), s); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("applied %+v, %v; want %+v", got, err, want)
	}
}

// TestApply changes many modules at once. The lines of on_start tell which were
// started.
func TestApply(t *testing.T) {
	t.Parallel()
	var started []string
	recorder := &builtin{name: "Rec", commands: map[string]check.Runner{"record": check.RunnerFunc(
		func(_ context.Context, req check.Request) (check.Result, error) {
			started = append(started, req.Args[0])
			return check.Result{State: check.StateOK}, nil
		})}}
	version := func(name, version string, requires ...string) *zipmod.Module {
		m := manifest{Version: version, Modules: append(requires, "Rec"), OnStart: []string{"record " + name + version}, Scripts: []any{name + ".wasm"}}
		return readModule(t, name, m, map[string]string{name + ".wasm": says("OK " + version)})
	}
	a := newAgent(t, nil)
	a.AddBuiltin("Rec", func() agent.Builtin { return recorder })
	newBuiltin(a, "Helpers", "help")
	step := func(s agent.Selection, want agent.Applied, starts ...string) {
		t.Helper()
		started = nil
		wantApplied(t, a, s, want)
		if !slices.Equal(started, starts) {
			t.Errorf("started %q, want %q", started, starts)
		}
	}
	list := func(modules ...*zipmod.Module) []*zipmod.Module { return modules }

	first := selection(agent.Settings{}, list(version("stays", "1"), version("changes", "1", "lib"), version("goes", "1")), version("lib", "1"))
	first.Builtins = []string{"helpers"}
	step(first, agent.Applied{Loaded: []string{"changes", "goes", "Helpers", "lib", "Rec", "stays"}}, "stays1", "lib1", "changes1", "goes1")
	step(first, agent.Applied{})

	second := selection(agent.Settings{}, list(version("comes", "1"), version("changes", "2", "lib"), version("stays", "1")), version("lib", "1"))
	step(second, agent.Applied{Loaded: []string{"comes"}, Replaced: []string{"changes"}, Unloaded: []string{"goes", "Helpers"}}, "comes1", "changes2")
	wantAnswers(t, a, map[string]string{"stays": "OK 1", "changes": "OK 2", "comes": "OK 1", "lib": "OK 1", "goes": "", "goes.goes": "", "help": ""})
	if s := statusOf(t, a, "lib"); s.Wanted || recorder.closed.Load() != 0 {
		t.Errorf("lib %+v; the recorder was closed %d times", s, recorder.closed.Load())
	}

	// What a module requires has changed, and only that: it is another module now
	// that wants it by itself.
	third := selection(agent.Settings{}, list(version("changes", "2", "lib"), version("lib", "2")), version("lib", "2"))
	step(third, agent.Applied{Replaced: []string{"lib"}, Unloaded: []string{"comes", "stays"}}, "lib2")
	wantAnswers(t, a, map[string]string{"lib": "OK 2", "changes": "OK 2"})
	if !statusOf(t, a, "lib").Wanted {
		t.Error("lib is not wanted by itself")
	}
	step(selection(agent.Settings{}, nil), agent.Applied{Unloaded: []string{"changes", "lib", "Rec"}})
	wantModules(t, a)
}

// TestApplyTakesSettings grants a module more, and another one nothing new.
func TestApplyTakesSettings(t *testing.T) {
	t.Parallel()
	asks := readModule(t, "asks", manifest{Permissions: []string{"/host/os"}}, nil)
	a := newAgent(t, nil)
	s := selection(agent.Settings{}, []*zipmod.Module{asks, module(t, "other", nil, "x")})
	wantApplied(t, a, s, agent.Applied{Loaded: []string{"asks", "other"}})
	s.Grants = func(string) agent.Settings {
		return agent.Settings{Grant: providers.Grant{Allow: policy.Grants{{Pattern: "/host/*"}}}}
	}
	s.Same = func(module string) bool { return module == "other" }
	wantApplied(t, a, s, agent.Applied{Replaced: []string{"asks"}})
	if got := statusOf(t, a, "asks").State(); got != "loaded" {
		t.Errorf("asks is %s", got)
	}
	// They hold for what is loaded from now on.
	load(t, a, readModule(t, "late", manifest{Permissions: []string{"/host/os"}}, nil))
	if got := statusOf(t, a, "late").State(); got != "loaded" {
		t.Errorf("late is %s", got)
	}
}

// TestApplyIsAllOrNothing wants every mistake at once, and nothing changed by what
// is right.
func TestApplyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	strict := agent.Settings{Strict: true}
	broken := readModule(t, "broken", manifest{Scripts: []any{"b.wasm"}}, map[string]string{"b.wasm": "x"})
	one, good := module(t, "one", []string{"Sys"}, "x"), module(t, "good", nil, "good")
	for _, row := range []struct {
		name string
		s    agent.Selection
		want []string
	}{
		{"many", selection(agent.Settings{}, []*zipmod.Module{good, broken, module(t, "one", nil, "y"), module(t, "two", []string{"nowhere"}), module(t, "three", []string{"broken"}), module(t, "clash", nil, "y")}), []string{
			"module broken: script b.wasm", "module two requires module nowhere, which is neither built in nor found",
			"module three requires module broken, which cannot be loaded", "command y: module clash brings it and module one has it already",
		}},
		{"a new module with an old one's command", selection(agent.Settings{}, []*zipmod.Module{module(t, "a", nil, "x"), one}), []string{"command x: module a brings it and module one has it already"}},
		{"a strict one", selection(strict, []*zipmod.Module{readModule(t, "asks", manifest{Permissions: []string{"/host/os"}}, nil)}), []string{"module asks asks for more than it is granted: /host/os"}},
		{"a circle", selection(agent.Settings{}, []*zipmod.Module{module(t, "a", []string{"b"}), module(t, "b", []string{"a"})}, module(t, "b", []string{"a"})), []string{"circle: a -> b -> a"}},
		{"two files", selection(agent.Settings{}, []*zipmod.Module{module(t, "a", []string{"lib"}), module(t, "lib", nil, "y")}, module(t, "lib", nil, "z")), []string{"module lib is loaded already because another module requires it, and from another file"}},
		{"a builtin name", selection(agent.Settings{}, []*zipmod.Module{module(t, "sys", nil)}), []string{"module sys has the name of a builtin module, Sys"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := newAgent(t, nil)
			sys := newBuiltin(a, "Sys", "sys")
			load(t, a, one, module(t, "two", nil, "z"))
			before := a.Modules()
			row.s.Builtins = []string{"nothing"}
			_, err := a.Apply(t.Context(), row.s)
			wantText(t, err, append(row.want, `no module "nothing" is built in`)...)
			if after := a.Modules(); !reflect.DeepEqual(after, before) || sys.closed.Load() != 0 {
				t.Errorf("the modules are %+v, were %+v", after, before)
			}
			wantAnswers(t, a, map[string]string{"x": "OK one x", "two.z": "OK two z", "sys": "sys", "good": "", "y": ""})
			load(t, a, readModule(t, "lenient", manifest{Permissions: []string{"/host/os"}}, nil)) // the settings are the old ones
		})
	}
}

// While modules come, go and change, no request to those that stay fails.
func TestApplyLeavesNoRequestUnanswered(t *testing.T) {
	t.Parallel()
	const askers, changes = 8, 100
	versions := []*zipmod.Module{module(t, "m", []string{"lib"}, "x", "y"), module(t, "m", nil, "x")}
	stays, lib := module(t, "stays", nil, "s"), module(t, "lib", nil, "l")
	a := newAgent(t, nil)
	apply := func(i int) {
		if _, err := a.Apply(t.Context(), selection(agent.Settings{}, []*zipmod.Module{versions[i%2], stays}, lib)); err != nil {
			t.Error(err)
		}
	}
	apply(0)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range askers {
		wg.Go(func() {
			for ctx.Err() == nil {
				x, err := a.Run(t.Context(), check.Request{Command: "x"})
				s, err2 := a.Run(t.Context(), check.Request{Command: "s"})
				if errors.Join(err, err2) != nil || x.Text != "OK m x" || s.Text != "OK stays s" {
					t.Errorf("%q, %q, %v, %v", x.Text, s.Text, err, err2)
					return
				}
			}
		})
	}
	for i := range changes {
		apply(i + 1)
	}
	stop()
	wg.Wait()
}

func TestApplyAfterClose(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := a.Apply(t.Context(), selection(agent.Settings{}, nil))
	wantText(t, err, "the agent is closed")
}
