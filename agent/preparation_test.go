package agent_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A compiler counts compilations, by the program's name.
type compiler struct {
	hold func(name string) // is called in each; nil is not
	mu   sync.Mutex
	done map[string]int
}

func (c *compiler) compiling(name string) func() {
	if c.hold != nil {
		c.hold(name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = map[string]int{}
	}
	c.done[name]++
	return func() {}
}

// total is how many there were since it was asked before.
func (c *compiler) total() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, times := range c.done {
		n += times
	}
	clear(c.done)
	return n
}

// compiledBy is an agent whose programs are compiled by c.
func compiledBy(t *testing.T, c *compiler, change func(*agent.Config), found ...*zipmod.Module) *agent.Agent {
	t.Helper()
	engine, err := runtime.NewEngine(runtime.Config{Compiling: c.compiling})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	scripts, err := providers.New(providers.Config{Engine: engine})
	if err != nil {
		t.Fatal(err)
	}
	return newAgent(t, func(config *agent.Config) {
		config.Providers = scripts
		if change != nil {
			change(config)
		}
	}, found...)
}

// TestProgramsAreCompiledOnce loads modules of many scripts and wants each program to be
// compiled once, however often it is there.
func TestProgramsAreCompiledOnce(t *testing.T) {
	t.Parallel()
	one := string(wasmtest.ExitWith(0))
	var aliases []any
	copies := map[string]string{}
	for i := range 100 {
		aliases = append(aliases, map[string]any{"script": "one.wasm", "alias": fmt.Sprint("alias", i)})
		copies[fmt.Sprintf("copy%d.wasm", i)] = one
	}
	for name, m := range map[string]*zipmod.Module{
		"100 aliases": readModule(t, "a", manifest{Scripts: aliases}, map[string]string{"one.wasm": one}),
		"100 copies":  readModule(t, "a", manifest{Scripts: []any{"*.wasm"}}, copies),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c compiler
			a := compiledBy(t, &c, nil)
			load(t, a, m)
			if n := c.total(); n != 1 || len(statusOf(t, a, "a").Commands) != 100 {
				t.Errorf("compiled %d times; want once", n)
			}
		})
	}
}

// TestOnlyWhatChangedIsCompiled reloads a module of 100 scripts of which one changed.
func TestOnlyWhatChangedIsCompiled(t *testing.T) {
	t.Parallel()
	version := func(changed uint32) *zipmod.Module {
		files := map[string]string{}
		for i := range 100 {
			files[fmt.Sprintf("script%d.wasm", i)] = string(wasmtest.ExitWith(uint32(i)))
		}
		files["script7.wasm"] = string(wasmtest.ExitWith(changed))
		return readModule(t, "a", manifest{Scripts: []any{"*.wasm"}}, files)
	}
	var c compiler
	a := compiledBy(t, &c, nil)
	load(t, a, version(7))
	if n := c.total(); n != 100 {
		t.Errorf("compiled %d programs; want all", n)
	}
	for _, next := range []*zipmod.Module{version(1000), version(1001)} {
		wantApplied(t, a, selection(agent.Settings{}, []*zipmod.Module{next}), agent.Applied{Replaced: []string{"a"}})
		if n := c.total(); n != 1 {
			t.Errorf("compiled %d programs; want the one that changed", n)
		}
	}
	wantApplied(t, a, selection(agent.Settings{}, []*zipmod.Module{version(1001)}), agent.Applied{})
	if n := c.total(); n != 0 {
		t.Errorf("compiled %d programs of a module that stays", n)
	}
}

// TestCompilingKeepsNobodyWaiting changes the agent while a module compiles, and what it
// is granted.
func TestCompilingKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	begun, going := make(chan struct{}), make(chan struct{})
	c := compiler{hold: func(name string) {
		if name == "slow/slow.wasm" {
			close(begun)
			<-going
		}
	}}
	a := compiledBy(t, &c, grants(agent.Settings{}))
	newBuiltin(a, "CheckSystem", "check_cpu")
	load(t, a, module(t, "quick", nil, "x"))
	slow := readModule(t, "slow", manifest{Scripts: []any{"slow.wasm"}, Permissions: []string{"/host/*"}}, map[string]string{"slow.wasm": says("OK")})
	loaded := make(chan error)
	go func() { loaded <- a.Load(t.Context(), slow) }()
	<-begun
	if err := errors.Join(a.LoadBuiltin(t.Context(), "CheckSystem"), a.Unload(t.Context(), "CheckSystem")); err != nil {
		t.Error(err)
	}
	wantApplied(t, a, selection(agent.Settings{Grant: everything}, nil), agent.Applied{Unloaded: []string{"quick"}})
	wantModules(t, a)
	close(going)
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
	if s := statusOf(t, a, "slow"); len(s.Granted) != len(everything.Allow) {
		t.Errorf("granted %v, which is what was said before it was loaded; want %v", s.Granted, everything.Allow)
	}
}

// TestLoadEach loads modules of which some cannot be loaded: nothing of them is left,
// and the others are loaded with what they require.
func TestLoadEach(t *testing.T) {
	t.Parallel()
	base, only := module(t, "base", nil, "b"), module(t, "only", nil, "o")
	wrong := readModule(t, "wrong", manifest{Modules: []string{"base", "only"}, Scripts: []any{"w.wasm"}}, map[string]string{"w.wasm": "no program"})
	clash := module(t, "clash", []string{"base"}, "x", "y")
	needs := module(t, "needs", []string{"wrong"}, "n")
	a := newAgent(t, nil, base, only, wrong)
	system := newBuiltin(a, "CheckSystem", "check_cpu")
	first := module(t, "first", []string{"base", "CheckSystem"}, "x")
	errs := a.LoadEach(t.Context(), []string{"CheckSystem", "Nothing"}, []*zipmod.Module{wrong, first, clash, needs, only, first})
	if len(errs) != 8 {
		t.Fatalf("%d errors for 8 modules: %v", len(errs), errs)
	}
	for i, want := range []string{"", `no module "Nothing" is built in`, "w.wasm", "", "command x", "requires module wrong", "", ""} {
		if want == "" && errs[i] != nil || want != "" && errs[i] == nil {
			t.Errorf("module %d: %v; want %q", i, errs[i], want)
		} else if want != "" {
			wantText(t, errs[i], want)
		}
	}
	wantModules(t, a, "base", "CheckSystem", "first", "only")
	wantAnswers(t, a, map[string]string{"x": "OK first x", "b": "OK base b", "o": "OK only o", "check_cpu": "check_cpu", "y": "", "clash.x": "", "n": "", "w": ""})
	for name, wanted := range map[string]bool{"base": false, "CheckSystem": true, "first": true, "only": true} {
		if s := statusOf(t, a, name); s.Wanted != wanted {
			t.Errorf("%s is wanted: %v", name, s.Wanted)
		}
	}
	if err := a.Unload(t.Context(), "first"); err != nil || system.closed.Load() != 0 {
		t.Errorf("unloaded with %v; CheckSystem was closed %d times", err, system.closed.Load())
	}
	wantModules(t, a, "CheckSystem", "only")
	for _, err := range a.LoadEach(t.Context(), []string{"checksystem"}, []*zipmod.Module{only}) {
		if err != nil {
			wantText(t, err, "only is loaded already")
		}
	}
	if errs := a.LoadEach(t.Context(), nil, nil); len(errs) != 0 {
		t.Errorf("loading nothing: %v", errs)
	}
	a.Close()
	for _, err := range a.LoadEach(t.Context(), []string{"CheckSystem"}, []*zipmod.Module{first}) {
		wantText(t, err, "closed")
	}
}

// TestLoadTogether has many load and unload modules at the same time.
func TestLoadTogether(t *testing.T) {
	t.Parallel()
	base := module(t, "base", nil, "b")
	a := newAgent(t, grants(agent.Settings{Grant: providers.Grant{Limits: policy.Limits{Memory: policy.MiB}}}), base)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			name := fmt.Sprint("m", i)
			m := module(t, name, []string{"base"}, name)
			for range 5 {
				if err := a.Load(t.Context(), m); err != nil {
					t.Error(err)
				}
				wantAnswers(t, a, map[string]string{name: "OK " + name + " " + name, "b": "OK base b"})
				if err := a.Unload(t.Context(), name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	wantModules(t, a)
}
