package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// only wants a directory to hold one file, and nothing beside it.
func only(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("the directory holds %v, %v; want %s alone", entries, err, name)
	}
}

func TestEditMakesTheFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "sub", "config.toml")
	if err := config.Edit(name, config.Enable("web", true)); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, name), "[modules.web]\nenabled = true\n"; got != want {
		t.Errorf("the file holds %q, want %q", got, want)
	}
	only(t, filepath.Dir(name), "config.toml")
}

func TestEditChangesAllOrNothing(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	write(t, name, "# mine\n")
	wantError(t, config.Edit(name, config.Enable("web", true), config.Enable("a/b", true)), "change it by hand")
	if got := read(t, name); got != "# mine\n" {
		t.Errorf("the file holds %q", got)
	}
	only(t, filepath.Dir(name), "config.toml")
}

func TestEditRefusesWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	write(t, name, "# theirs\n")
	wantError(t, config.Swap(name, "# mine\n", "# mine\nruns = 1\n", true), "somebody else has changed it")
	wantError(t, config.Swap(name, "", "runs = 1\n", false), "somebody else has changed it")
	if got := read(t, name); got != "# theirs\n" {
		t.Errorf("the file holds %q", got)
	}
	only(t, filepath.Dir(name), "config.toml")
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
}
