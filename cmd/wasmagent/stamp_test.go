package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/toolchain"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/trust"
)

// zipped is a module with one program, as a zip.
func zipped(t *testing.T, manifest string, program []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range map[string]string{"module.json": manifest, "a.wasm": string(program)} {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipOf is a module without scripts of a name.
func zipOf(t *testing.T, name string) []byte {
	t.Helper()
	return zipped(t, `{"name": "`+name+`"}`, nil)
}

// TestUnchangedIsNotReadAgain opens a zip for one configuration and then for the next. It
// is read and judged again if anything has changed on which that depends.
func TestUnchangedIsNotReadAgain(t *testing.T) {
	t.Parallel()
	day := time.Now().Add(-24 * time.Hour)
	put := func(t *testing.T, file string, data []byte, when time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, data, 0o600), os.Chtimes(file, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(*testing.T, string, *config.Config) {}
	entry := func(change func(*config.Module)) func(*testing.T, string, *config.Config) {
		return func(_ *testing.T, _ string, c *config.Config) {
			m := c.Modules["web"]
			change(&m)
			c.Modules = config.Modules{"web": m}
		}
	}
	for name, row := range map[string]struct {
		before, between func(t *testing.T, file string, c *config.Config)
		again, refused  bool
	}{
		"nothing":            {nothing, nothing, false, false},
		"what it is granted": {nothing, entry(func(m *config.Module) { m.Strict = true }), false, false},
		"touched": {nothing, func(t *testing.T, file string, _ *config.Config) {
			put(t, file, zipOf(t, "web"), day.Add(time.Second))
		}, true, false},
		"another file": {nothing, func(t *testing.T, file string, _ *config.Config) {
			put(t, file+"2", zipOf(t, "new"), day) // of the same size
			if err := os.Rename(file+"2", file); err != nil {
				t.Fatal(err)
			}
		}, true, false},
		"just written": {func(t *testing.T, file string, _ *config.Config) {
			put(t, file, zipOf(t, "web"), time.Now().Add(time.Hour)) // however long this takes
		}, nothing, true, false},
		"a signature": {nothing, func(t *testing.T, file string, _ *config.Config) {
			put(t, file+trust.Extension, []byte("x"), day)
		}, true, false},
		"another signature": {func(t *testing.T, file string, _ *config.Config) {
			put(t, file+trust.Extension, []byte("x"), day)
		}, func(t *testing.T, file string, _ *config.Config) {
			put(t, file+trust.Extension, []byte("y"), day.Add(time.Second))
		}, true, false},
		"no signature": {func(t *testing.T, file string, _ *config.Config) {
			put(t, file+trust.Extension, []byte("x"), day)
		}, func(t *testing.T, file string, _ *config.Config) { os.Remove(file + trust.Extension) }, true, false},
		"limits":     {nothing, entry(func(m *config.Module) { m.Limits.Archive = policy.MiB }), true, false},
		"a pin":      {nothing, entry(func(m *config.Module) { m.Pin = trust.DigestOf([]byte("other")) }), true, true},
		"the policy": {nothing, func(_ *testing.T, _ string, c *config.Config) { c.Trust.Require = trust.Pin }, true, true},
		"gone":       {nothing, func(_ *testing.T, file string, _ *config.Config) { os.Remove(file) }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "web.zip")
			put(t, file, zipOf(t, "web"), day)
			c := config.Config{Modules: config.Modules{"web": {Enabled: true, Path: file}}}
			row.before(t, file, &c)
			l := newLibrary(c, toolchain.Builder{})
			first, err := l.open(t.Context(), file)
			if err != nil {
				t.Fatal(err)
			}
			row.between(t, file, &c)
			next := l.after(c)
			second, err := next.open(t.Context(), file)
			if (err != nil) != row.refused {
				t.Fatalf("read with %v", err)
			}
			if again := first != second; again != row.again {
				t.Errorf("read again: %v; want %v", again, row.again)
			}
			if err == nil && (next.ruling("web") == nil || next.read("web").module != second) {
				t.Errorf("the next library has %+v, and rules %+v", next.read("web"), next.ruling("web"))
			}
		})
	}
}
