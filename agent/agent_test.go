package agent_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/wasmtest"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A manifest is a module.json.
type manifest struct {
	Name        string         `json:"name"`
	Version     string         `json:"version,omitempty"`
	Modules     []string       `json:"modules,omitempty"`
	Scripts     []any          `json:"scripts,omitempty"`
	OnStart     []string       `json:"on_start,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
	Subscribe   []subscription `json:"subscribe,omitempty"`
}

// object is a script object of a manifest.
type object map[string]string

// readModule makes a zip of a manifest and of programs, and reads it.
func readModule(t testing.TB, name string, m manifest, files map[string]string) *zipmod.Module {
	t.Helper()
	if m.Name == "" {
		m.Name = "the module " + name
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{"module.json": {Data: text}}
	for name, content := range files {
		all[name] = &fstest.MapFile{Data: []byte(content)}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if err := errors.Join(w.AddFS(all), w.Close()); err != nil {
		t.Fatal(err)
	}
	mod, err := zipmod.Read(name, b.Bytes(), zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// module is a module with one program for each alias, which says its own name.
func module(t testing.TB, name string, requires []string, aliases ...string) *zipmod.Module {
	t.Helper()
	m, files := manifest{Modules: requires}, map[string]string{}
	for _, alias := range aliases {
		m.Scripts = append(m.Scripts, alias+".wasm")
		files[alias+".wasm"] = says("OK " + name + " " + alias)
	}
	return readModule(t, name, m, files)
}

// says is a program that prints text and ends with status 0.
func says(text string) string { return string(wasmtest.Print(text, 0)) }

// A builtin is a builtin module of a test.
type builtin struct {
	name     string
	commands map[string]check.Runner
	closed   atomic.Int32
}

func (b *builtin) Description() string               { return "the builtin module " + b.name }
func (b *builtin) Commands() map[string]check.Runner { return b.commands }
func (b *builtin) Close() error                      { b.closed.Add(1); return nil }

// answers is a command with one answer.
func answers(text string) check.RunnerFunc {
	return func(context.Context, check.Request) (check.Result, error) {
		return check.Result{State: check.StateOK, Text: text}, nil
	}
}

// newBuiltin makes a builtin module available that has one command for each
// alias.
func newBuiltin(a *agent.Agent, name string, aliases ...string) *builtin {
	b := &builtin{name: name, commands: make(map[string]check.Runner)}
	for _, alias := range aliases {
		b.commands[alias] = answers(alias)
	}
	a.AddBuiltin(name, func() agent.Builtin { return b })
	return b
}

// newAgent returns an agent with an engine, which finds the modules of found.
func newAgent(t testing.TB, change func(*agent.Config), found ...*zipmod.Module) *agent.Agent {
	t.Helper()
	engine, err := runtime.NewEngine(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := providers.New(providers.Config{Engine: engine, UnpackDir: filepath.Join(t.TempDir(), "unpacked")})
	if err != nil {
		t.Fatal(err)
	}
	config := agent.Config{
		Providers: scripts,
		Find:      finding(found),
		Log:       slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&config)
	}
	a := agent.New(config)
	t.Cleanup(func() {
		if err := errors.Join(a.Close(), engine.Close()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// finding is a Config.Find that knows some modules.
func finding(found []*zipmod.Module) func(string, *zipmod.Module) (*zipmod.Module, error) {
	return func(name string, _ *zipmod.Module) (*zipmod.Module, error) {
		for _, m := range found {
			if strings.EqualFold(m.Name, name) {
				return m, nil
			}
		}
		return nil, fmt.Errorf("looking for %s: %w", name, fs.ErrNotExist)
	}
}

// grants is a Config.Grants that says the same of every module.
func grants(s agent.Settings) func(*agent.Config) {
	return func(c *agent.Config) { c.Grants = func(string) agent.Settings { return s } }
}

func load(t testing.TB, a *agent.Agent, modules ...*zipmod.Module) {
	t.Helper()
	for _, m := range modules {
		if err := a.Load(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
}

// wantAnswers checks what commands say. An answer of "" is an unknown command.
func wantAnswers(t testing.TB, a *agent.Agent, want map[string]string) {
	t.Helper()
	for command, text := range want {
		r, err := a.Run(t.Context(), check.Request{Command: command})
		var unknown *agent.UnknownCommandError
		if text == "" && errors.As(err, &unknown) {
			continue
		}
		if err != nil || r.Text != text || text == "" {
			t.Errorf("%s: got %q, %v; want %q", command, r.Text, err, text)
		}
	}
}

// wantModules checks which modules are loaded.
func wantModules(t testing.TB, a *agent.Agent, want ...string) {
	t.Helper()
	var got []string
	for _, s := range a.Modules() {
		got = append(got, s.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("modules %q are loaded, want %q", got, want)
	}
}

// wantText checks that an error says each of the texts.
func wantText(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one that says %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q: does not say %q", err, text)
		}
	}
}

func statusOf(t testing.TB, a *agent.Agent, name string) agent.Status {
	t.Helper()
	for _, s := range a.Modules() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("module %s is not loaded", name)
	return agent.Status{}
}

// everything grants all that the tests' modules ask for.
var everything = providers.Grant{Allow: policy.Grants{{Pattern: "/host/*"}, {Pattern: "/exec/*"}}}
