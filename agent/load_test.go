package agent_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/zipmod"
)

func TestCommandsAreFoundByTheirNames(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	newBuiltin(a, "CheckSystem", "check_cpu", "CheckSystem.add")
	if err := a.LoadBuiltin(t.Context(), "checksystem"); err != nil {
		t.Fatal(err)
	}
	load(t, a, module(t, "Web.Checks", nil, "http", "Web.Checks.x"))
	wantAnswers(t, a, map[string]string{
		"http": "OK Web.Checks http", "HTTP": "OK Web.Checks http",
		"Web.Checks.http": "OK Web.Checks http", "web.checks.HTTP": "OK Web.Checks http",
		"Web.Checks.x": "OK Web.Checks Web.Checks.x", "Web.Checks.Web.Checks.x": "OK Web.Checks Web.Checks.x",
		"check_cpu": "check_cpu", "CHECKSYSTEM.check_cpu": "check_cpu",
		"checksystem.add": "CheckSystem.add", "CheckSystem.CheckSystem.add": "", "add": "",
		"Web": "", "Web.Checks": "", "Checks.http": "", "": "", "Web.Checks.": "",
	})
}

func TestRequiredModulesLoadFirst(t *testing.T) {
	t.Parallel()
	var order []string
	record := check.RunnerFunc(func(_ context.Context, req check.Request) (check.Result, error) {
		if req.Origin != check.OnStart {
			t.Errorf("origin %q", req.Origin)
		}
		order = append(order, req.Args[0])
		return check.Result{State: check.StateOK}, nil
	})
	starting := func(name string, requires ...string) *zipmod.Module {
		return readModule(t, name, manifest{Modules: requires, OnStart: []string{"record " + name + "1", "Recorder.record " + name + "2"}}, nil)
	}
	// d is required twice, and the recorder by all.
	b, c, d := starting("b", "d", "recorder"), starting("c", "D", "recorder"), starting("d", "Recorder")
	a := newAgent(t, nil, b, c, d)
	a.AddBuiltin("Recorder", func() agent.Builtin {
		return &builtin{name: "Recorder", commands: map[string]check.Runner{"record": record}}
	})
	load(t, a, starting("a", "b", "c", "Recorder"))
	wantModules(t, a, "a", "b", "c", "d", "Recorder")
	if want := []string{"d1", "d2", "b1", "b2", "c1", "c2", "a1", "a2"}; !slices.Equal(order, want) {
		t.Errorf("started as %q, want %q", order, want)
	}
	if s := statusOf(t, a, "d"); s.Wanted || !slices.Equal(s.RequiredBy, []string{"b", "c"}) || s.State() != "loaded" {
		t.Errorf("d: %+v", s)
	}
}

func TestCirclesAreRefused(t *testing.T) {
	t.Parallel()
	a, b, c, self := module(t, "a", []string{"b"}), module(t, "b", []string{"C"}), module(t, "c", []string{"a"}), module(t, "self", []string{"Self"})
	ag := newAgent(t, nil, a, b, c, self)
	wantText(t, ag.Load(t.Context(), a), "circle: a -> b -> c -> a")
	wantText(t, ag.Load(t.Context(), c), "circle: c -> a -> b -> c")
	wantText(t, ag.Load(t.Context(), self), "circle: self -> self")
	wantModules(t, ag)
}

func TestReloadRefusesACircle(t *testing.T) {
	t.Parallel()
	leaf, closing := module(t, "leaf", nil, "x"), module(t, "leaf", []string{"top"}, "x")
	a := newAgent(t, nil, leaf)
	load(t, a, module(t, "middle", []string{"leaf"}), module(t, "top", []string{"middle"}))
	wantText(t, a.Reload(t.Context(), closing), "circle: leaf -> top -> middle -> leaf")
	wantModules(t, a, "leaf", "middle", "top")
	wantAnswers(t, a, map[string]string{"x": "OK leaf x"})
}

// Whatever stands in the way of a load, nothing of it remains.
func TestLoadIsAllOrNothing(t *testing.T) {
	t.Parallel()
	good, other := module(t, "good", []string{"Sys"}, "good"), module(t, "other", nil, "other")
	broken := readModule(t, "broken", manifest{Scripts: []any{"a.wasm", "b.wasm"}}, map[string]string{"a.wasm": says("OK"), "b.wasm": "x"})
	misnamed := module(t, "wrong", nil)
	rows := []struct {
		name   string
		module *zipmod.Module
		want   []string
	}{
		{"a script", readModule(t, "m", manifest{Modules: []string{"good", "Sys"}, Scripts: []any{"a.wasm", "b.wasm", "c.wasm"}},
			map[string]string{"a.wasm": says("OK"), "b.wasm": "x", "c.wasm": "y"}), []string{"module m: script b.wasm", "module m: script c.wasm"}},
		{"a script of what it requires", module(t, "m", []string{"good", "broken"}, "x"), []string{"module broken: script b.wasm"}},
		{"a missing module", module(t, "m", []string{"good", "nowhere", "nowhere2"}, "x"), []string{"module m requires module nowhere, which is neither built in nor found", "module nowhere2"}},
		{"a module of another name", module(t, "m", []string{"good", "found"}, "x"), []string{"module m requires module found", "wrong"}},
		{"a clash", module(t, "m", []string{"good", "other"}, "GOOD", "mine", "other"), []string{
			"command GOOD: module m brings it and module good has it", "command other: module m brings it and module other has it"}},
		{"a clash with a full name", module(t, "m", []string{"good"}, "good.good"), []string{"command good.good: module m brings it and module good has it"}},
		{"a builtin name", module(t, "SYS", nil, "x"), []string{"module SYS has the name of a builtin module, Sys"}},
	}
	for _, row := range rows {
		a := newAgent(t, func(c *agent.Config) {
			find := c.Find
			c.Find = func(name string, by *zipmod.Module) (*zipmod.Module, error) {
				if name == "found" {
					return misnamed, nil
				}
				return find(name, by)
			}
		}, good, other, broken)
		sys := newBuiltin(a, "Sys", "sys")
		err := a.Load(t.Context(), row.module)
		t.Log(err)
		wantText(t, err, row.want...)
		wantModules(t, a)
		wantAnswers(t, a, map[string]string{"good": "", "other": "", "x": "", "mine": "", "sys": "", "a": ""})
		if row.name != "a builtin name" && sys.closed.Load() != 1 {
			t.Errorf("%s: the builtin module was closed %d times", row.name, sys.closed.Load())
		}
		load(t, a, good) // nothing is in the way of the next one
	}
}

func TestLoadTwice(t *testing.T) {
	t.Parallel()
	leaf := module(t, "leaf", nil, "x")
	a := newAgent(t, nil, leaf)
	load(t, a, module(t, "top", []string{"leaf"}))
	wantText(t, a.Load(t.Context(), module(t, "LEAF", nil, "x", "y")), "module leaf is loaded already because another module requires it, and from another file")
	load(t, a, leaf) // from now on it stays without top
	wantText(t, a.Load(t.Context(), leaf), "module leaf is loaded already; reload it")
	if err := a.Unload(t.Context(), "top"); err != nil {
		t.Fatal(err)
	}
	wantModules(t, a, "leaf")
}

func TestUnloadTakesAwayWhatLoadingAdded(t *testing.T) {
	t.Parallel()
	leaf, shared := module(t, "leaf", []string{"Sys"}, "leaf"), module(t, "shared", nil, "shared")
	a := newAgent(t, nil, leaf, shared)
	sys := newBuiltin(a, "Sys", "sys")
	load(t, a, module(t, "top", []string{"leaf", "shared"}, "top"), module(t, "second", []string{"shared"}))
	wantText(t, a.Unload(t.Context(), "SHARED"), "module shared is required by second, top; unload that first")
	wantText(t, a.Unload(t.Context(), "nowhere"), "no module nowhere is loaded")
	if err := a.Unload(t.Context(), "Top"); err != nil {
		t.Fatal(err)
	}
	wantModules(t, a, "second", "shared")
	wantAnswers(t, a, map[string]string{"top": "", "top.top": "", "leaf": "", "sys": "", "Sys.sys": "", "shared": "OK shared shared"})
	if sys.closed.Load() != 1 {
		t.Errorf("the builtin module was closed %d times", sys.closed.Load())
	}
}

func TestBuiltinModulesThatAreWantedStay(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	newBuiltin(a, "Sys", "sys")
	load(t, a, module(t, "top", []string{"sys"}))
	if err := a.LoadBuiltin(t.Context(), "Sys"); err != nil {
		t.Fatal(err)
	}
	if err := a.Unload(t.Context(), "top"); err != nil {
		t.Fatal(err)
	}
	wantModules(t, a, "Sys")
	wantText(t, a.LoadBuiltin(t.Context(), "nowhere"), `no module "nowhere" is built in`)
}

func TestOnStartLinesThatFailDegrade(t *testing.T) {
	t.Parallel()
	a := newAgent(t, nil)
	newBuiltin(a, "Sys", "good")
	unknown := &builtin{name: "States", commands: map[string]check.Runner{
		"critical": check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
			return check.Result{State: check.StateCritical, Text: "bad"}, nil
		}),
		"unknown": check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
			return check.Result{Text: "cannot tell"}, nil
		}),
		"error": check.RunnerFunc(func(context.Context, check.Request) (check.Result, error) {
			return check.Result{}, errors.New("went wrong")
		}),
	}}
	a.AddBuiltin("States", func() agent.Builtin { return unknown })
	load(t, a, readModule(t, "m", manifest{Modules: []string{"Sys", "States"}, OnStart: []string{
		"good", "critical", `unknown "a b"`, "nowhere", "error", "good", "m.own",
	}, Scripts: []any{"own.wasm"}}, map[string]string{"own.wasm": says("OK")}))
	s := statusOf(t, a, "m")
	want := []string{`on_start line 3 (unknown "a b"): cannot tell`, `on_start line 4 (nowhere): no command "nowhere" is loaded`, "on_start line 5 (error): went wrong"}
	if !slices.Equal(s.Failed, want) || s.State() != "degraded" {
		t.Errorf("%s: %q, want %q", s.State(), s.Failed, want)
	}
	wantAnswers(t, a, map[string]string{"own": "OK"})
}

// TestOnStartReachesWhatScriptsReach has lines that run the commands of a module that
// is loaded and not required: as scripts, they need the grant.
func TestOnStartReachesWhatScriptsReach(t *testing.T) {
	t.Parallel()
	asks := manifest{OnStart: []string{"good"}, Permissions: []string{"/command/good"}}
	required, silent := asks, asks
	required.Modules, required.Permissions = []string{"Sys"}, nil
	silent.Permissions = nil
	granted := agent.Settings{Grant: providers.Grant{Allow: policy.Grants{{Pattern: "/command/*"}}}}
	for _, row := range []struct {
		manifest
		granted agent.Settings
		why     string
	}{
		{asks, granted, ""},
		{required, agent.Settings{}, ""},
		{asks, agent.Settings{}, "the operator grants no such path"},
		{silent, granted, "the module does not ask for such a path in its permissions"},
	} {
		a := newAgent(t, grants(row.granted))
		newBuiltin(a, "Sys", "good")
		if err := a.LoadBuiltin(t.Context(), "Sys"); err != nil {
			t.Fatal(err)
		}
		load(t, a, readModule(t, "m", row.manifest, nil))
		var want []string
		if row.why != "" {
			want = []string{"on_start line 1 (good): it is the command of a module that this one does not require, and of /command/good, " + row.why}
		}
		if got := statusOf(t, a, "m").Failed; !slices.Equal(got, want) {
			t.Errorf("%+v: failed %q, want %q", row, got, want)
		}
	}
}

func TestModulesWithLessThanTheyAskForAreRestricted(t *testing.T) {
	t.Parallel()
	m := readModule(t, "m", manifest{Scripts: []any{"a.wasm", "b.sh"}, Permissions: []string{"/host/os", "/host/cpu"}, OnStart: []string{"nowhere"}},
		map[string]string{"a.wasm": says("OK a"), "b.sh": "echo"})
	some := agent.Settings{Grant: providers.Grant{Allow: policy.Grants{{Pattern: "/host/os"}}}}
	a := newAgent(t, grants(some))
	load(t, a, m)
	s := statusOf(t, a, "m")
	if want := []string{"/host/cpu", "/exec/sh"}; !slices.Equal(s.Uncovered, want) || s.State() != "degraded, restricted" {
		t.Errorf("%s: uncovered %q, want %q", s.State(), s.Uncovered, want)
	}
	wantAnswers(t, a, map[string]string{"a": "OK a"})

	some.Strict = true
	a = newAgent(t, grants(some))
	wantText(t, a.Load(t.Context(), m), "module m asks for more than it is granted: /host/cpu, /exec/sh")
	wantModules(t, a)

	a = newAgent(t, grants(agent.Settings{Grant: everything, Strict: true}))
	load(t, a, m)
	if s := statusOf(t, a, "m"); s.State() != "degraded" {
		t.Errorf("granted all: %s, uncovered %q", s.State(), s.Uncovered)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	a := newAgent(t, grants(agent.Settings{Grant: everything}))
	newBuiltin(a, "Sys", "sys", "Sys.add")
	m := readModule(t, "m", manifest{Name: "A module", Version: "1.2", Modules: []string{"Sys"}, Permissions: []string{"/host/os"},
		Scripts: []any{"s/a.wasm", object{"script": "s/b.sh", "alias": "bee"}}}, map[string]string{"s/a.wasm": says("OK"), "s/b.sh": "echo"})
	load(t, a, m)
	s := statusOf(t, a, "m")
	if s.Title != "A module" || s.Version != "1.2" || s.Digest != m.Digest || s.Size != m.Size || s.Builtin || !s.Wanted || s.State() != "loaded" {
		t.Errorf("%+v", s)
	}
	if want := []string{"/host/os", "/exec/sh"}; !slices.Equal(s.Asked, want) || !slices.Equal(s.Granted, everything.Allow.Strings()) {
		t.Errorf("asked %q, granted %q", s.Asked, s.Granted)
	}
	want := []agent.Command{
		{Alias: "a", Names: []string{"a", "m.a"}, Module: "m", File: "s/a.wasm", Provider: "WasmScript"},
		{Alias: "bee", Names: []string{"bee", "m.bee"}, Module: "m", File: "s/b.sh", Provider: "CheckExternalScripts", Exec: "/exec/sh"},
	}
	if len(s.Commands) != 2 || !same(s.Commands[0], want[0]) || !same(s.Commands[1], want[1]) {
		t.Errorf("commands %+v", s.Commands)
	}
	sys := statusOf(t, a, "Sys")
	if !sys.Builtin || sys.Wanted || sys.Description != "the builtin module Sys" || !slices.Equal(sys.RequiredBy, []string{"m"}) {
		t.Errorf("%+v", sys)
	}
	var aliases []string
	for _, c := range a.Commands() {
		aliases = append(aliases, c.Alias)
	}
	if want := []string{"a", "bee", "sys", "Sys.add"}; !slices.Equal(aliases, want) {
		t.Errorf("commands %q, want %q", aliases, want)
	}
}

func same(a, b agent.Command) bool {
	equal := slices.Equal(a.Names, b.Names)
	a.Names, b.Names = nil, nil
	return equal && a.Alias == b.Alias && a.Module == b.Module && a.File == b.File && a.Provider == b.Provider && a.Exec == b.Exec
}
