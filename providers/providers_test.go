package providers_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/providers/confine"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// shim is the only one of this process.
var shim, shimErr = confine.Self()

// TestMain lets the test binary be the shim that confines host scripts.
func TestMain(m *testing.M) {
	confine.Main()
	os.Exit(m.Run())
}

// A manifest is a module.json.
type manifest struct {
	Name        string   `json:"name"`
	Scripts     []any    `json:"scripts,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
}

// object is a script object of a manifest.
type object map[string]string

// readModule makes a zip of files and a manifest, and reads it.
func readModule(t testing.TB, m manifest, files map[string]string, absent map[string]error) *zipmod.Module {
	t.Helper()
	m.Name = "a test"
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
	mod, err := zipmod.Read("web.zip", b.Bytes(), zipmod.Options{Absent: absent})
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// one is a module of one script with files beside it.
func one(t testing.TB, script, content string, permissions ...string) *zipmod.Module {
	t.Helper()
	return readModule(t, manifest{Scripts: []any{script}, Permissions: permissions}, map[string]string{script: content}, nil)
}

// newProviders returns Providers with an engine and a directory to unpack into,
// which need not be there yet.
func newProviders(t testing.TB, change func(*providers.Config)) *providers.Providers {
	t.Helper()
	engine, err := runtime.NewEngine(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	if shimErr != nil {
		t.Fatal(shimErr)
	}
	config := providers.Config{Engine: engine, UnpackDir: filepath.Join(t.TempDir(), "unpacked"), Shim: shim, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&config)
	}
	p, err := providers.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// everything grants all.
var everything = policy.Grants{{Pattern: "/**"}, {Pattern: "/host/**"}, {Pattern: "/exec/*"}}

// loadAll loads a module with a grant, and closes it at the end of the test.
func loadAll(t testing.TB, p *providers.Providers, m *zipmod.Module, g providers.Grant) *providers.Loaded {
	t.Helper()
	l, err := p.Load(t.Context(), m, g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// ask runs the module's first command.
func ask(t testing.TB, l *providers.Loaded, args ...string) (check.Result, error) {
	t.Helper()
	return l.Commands[0].Runner.Run(t.Context(), check.Request{Command: l.Commands[0].Script.Alias, Args: args})
}

// hear asks the command to run with a standard input.
func hear(t testing.TB, l *providers.Loaded, input string) (check.Result, error) {
	t.Helper()
	return l.Commands[0].Runner.Run(t.Context(), check.Request{Command: "x", Input: []byte(input)})
}

func TestPlans(t *testing.T) {
	t.Parallel()
	rows := []struct {
		file, content, named string
		provider, exec       string
	}{
		{"a.wasm", "", "", "WasmScript", ""},
		{"A.WASM", "", "", "WasmScript", ""},
		{"a.py", "", "", "PythonScript", "/exec/python3"},
		{"a.sh", "echo", "", "CheckExternalScripts", "/exec/sh"},
		{"a.sh", "#!/bin/bash\n", "", "CheckExternalScripts", "/exec/bash"},
		{"a.sh", "#! /usr/bin/env  bash -e\r\n", "", "CheckExternalScripts", "/exec/bash"},
		{"a.sh", "#!/usr/bin/env -S ksh -x\n", "", "CheckExternalScripts", "/exec/ksh"},
		{"a.bat", "", "", "CheckExternalScripts", "/exec/cmd"},
		{"a.CMD", "", "", "CheckExternalScripts", "/exec/cmd"},
		{"a.ps1", "", "", "CheckExternalScripts", "/exec/powershell"},
		{"a.vbs", "", "", "CheckExternalScripts", "/exec/cscript"},
		{"a.exe", "MZ", "", "CheckExternalScripts", "/exec/native"},
		{"bin/a", "\x7fELF", "", "CheckExternalScripts", "/exec/native"},
		{"bin/a", "#!/usr/bin/perl -w", "", "CheckExternalScripts", "/exec/perl"},
		{"a.rb", "#!/usr/bin/ruby\n", "", "CheckExternalScripts", "/exec/ruby"},
		{"a.txt", "", "WasmScript", "WasmScript", ""},
		{"a.wasm", "#!/bin/sh\n", "CheckExternalScripts", "CheckExternalScripts", "/exec/sh"},
		{"a.wasm", "", "PythonScript", "PythonScript", "/exec/python3"},
	}
	p := newProviders(t, func(c *providers.Config) { c.Extensions = map[string]string{".rb": providers.CheckExternalScripts} })
	for _, row := range rows {
		script := object{"script": row.file}
		if row.named != "" {
			script["provider"] = row.named
		}
		m := readModule(t, manifest{Scripts: []any{script}}, map[string]string{row.file: row.content}, nil)
		plans, err := p.Plans(m)
		if err != nil {
			t.Errorf("%s: %v", row.file, err)
			continue
		}
		if plans[0].Provider != row.provider || plans[0].Exec != row.exec {
			t.Errorf("%s %q: got %s %q, want %s %q", row.file, row.content, plans[0].Provider, plans[0].Exec, row.provider, row.exec)
		}
	}
}

func TestLoadNamesEveryMistake(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a.lua": "", "b.sh": "#!\n", "c.sh": "#!/bin/-x\n", "d.sh": "#!/usr/bin/env A=1 sh\n", "e.wasm": "", "good.sh": "echo",
	}
	m := readModule(t, manifest{Scripts: []any{"a.lua", "b.sh", "c.sh", "d.sh", "good.sh", object{"script": "e.wasm", "provider": "LUAScript"}}}, files, nil)
	_, err := newProviders(t, nil).Load(t.Context(), m, providers.Grant{})
	wantText(t, err, `a.lua: no provider for the extension ".lua"`, "b.sh: its first line", "c.sh: its first line", "d.sh: its first line", `e.wasm: no provider is named "LUAScript"`)
	if strings.Contains(err.Error(), "good.sh") {
		t.Errorf("a good script is named: %v", err)
	}
}

func TestLoadNamesEveryProgramThatDoesNotCompile(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a.wasm": "no program", "b.wasm": says("OK", 0), "c.wasm": "\x00asm"}
	m := readModule(t, manifest{Scripts: []any{"*.wasm"}}, files, nil)
	_, err := newProviders(t, nil).Load(t.Context(), m, providers.Grant{})
	wantText(t, err, "script a.wasm: ", "script c.wasm: ")
	if strings.Contains(err.Error(), "b.wasm") {
		t.Errorf("a good program is named: %v", err)
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

func TestNewChecksTheTable(t *testing.T) {
	t.Parallel()
	_, err := providers.New(providers.Config{Extensions: map[string]string{"sh": "CheckExternalScripts", ".lua": "LUAScript", ".a b": ""}})
	wantText(t, err, `extension "sh"`, `provider "LUAScript"`, `".a b"`)
	_, err = providers.New(providers.Config{Path: []string{"bin"}})
	wantText(t, err, `"bin"`, "not absolute")
}

func TestExtensionsCanBeChanged(t *testing.T) {
	t.Parallel()
	p := newProviders(t, func(c *providers.Config) { c.Extensions = map[string]string{".Check": providers.WasmScript} })
	l := loadAll(t, p, one(t, "a.check", says("OK fine", 0)), providers.Grant{})
	if r, err := ask(t, l); err != nil || r.Text != "OK fine" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestAbsentScriptAnswersWithTheReason(t *testing.T) {
	t.Parallel()
	absent := map[string]error{"a.wasm": errors.New("go is not installed")}
	m := readModule(t, manifest{Scripts: []any{"a.wasm", "b.wasm"}}, map[string]string{"b.wasm": says("OK", 0)}, absent)
	l := loadAll(t, newProviders(t, nil), m, providers.Grant{})
	_, err := ask(t, l)
	wantText(t, err, "a.wasm is not there", "go is not installed")
	if r, err := l.Commands[1].Runner.Run(t.Context(), check.Request{}); err != nil || r.State != check.StateOK {
		t.Errorf("the other script: %+v, %v", r, err)
	}
}

func TestWithoutTheGrant(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "unpacked")
	p := newProviders(t, func(c *providers.Config) { c.UnpackDir = dir })
	for _, file := range []string{"a.sh", "a.py", "a.bat", "a.ps1", "a.vbs", "a.exe", "a"} {
		l := loadAll(t, p, one(t, file, "echo OK"), providers.Grant{Allow: policy.Grants{{Pattern: "/exec/other"}}})
		exec := l.Commands[0].Exec
		_, err := ask(t, l)
		wantText(t, err, "script "+file, "not granted", `add "`+exec+`" to allow of module web`)
		if got := l.Access.Uncovered(); !slices.Equal(got, []string{exec}) {
			t.Errorf("%s: uncovered %q, want %q", file, got, exec)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was unpacked")
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a.sh": "", "b.sh": "", "c.py": ""}
	m := readModule(t, manifest{Scripts: []any{"a.sh", "b.sh", "c.py"}, Permissions: []string{"/host/os", "/exec/python3"}}, files, nil)
	l := loadAll(t, newProviders(t, nil), m, providers.Grant{Allow: policy.Grants{{Pattern: "/host/*"}}})
	if want := []string{"/host/os", "/exec/python3", "/exec/sh"}; !slices.Equal(l.Access.Asked, want) {
		t.Errorf("asked %q, want %q", l.Access.Asked, want)
	}
	if want := []string{"/exec/python3", "/exec/sh"}; !slices.Equal(l.Access.Uncovered(), want) {
		t.Errorf("uncovered %q, want %q", l.Access.Uncovered(), want)
	}
	if len(m.Permissions) != 2 {
		t.Errorf("the module was changed: %q", m.Permissions)
	}
}

func fact(text string) runtime.Document {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}
