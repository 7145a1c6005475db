package config_test

import (
	"errors"
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

func taken() error { return nil }

// TestEditIf edits what is taken, and nothing else.
func TestEditIf(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	write(t, name, "# mine\n")
	for _, row := range []struct {
		refusal error
		enabled bool
		want    string
	}{
		{errors.New("not that"), true, "# mine\n"},
		{nil, true, "# mine\n\n[modules.web]\nenabled = true\n"},
		{errors.New("not that"), false, "# mine\n\n[modules.web]\nenabled = true\n"},
		{errors.New("nor what it says already"), true, "# mine\n\n[modules.web]\nenabled = true\n"},
	} {
		err := config.EditIf(name, func(c config.Config) error {
			if m, named := c.Module("web"); !named || m.Enabled != row.enabled {
				t.Errorf("the entry to be taken is %+v, %v", m, named)
			}
			return row.refusal
		}, config.Enable("web", row.enabled))
		if got := read(t, name); err != row.refusal || got != row.want {
			t.Errorf("the file holds %q, %v; want %q, %v", got, err, row.want, row.refusal)
		}
		only(t, filepath.Dir(name), "config.toml")
	}
}

func TestEditRefusesWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.toml")
	write(t, name, "# theirs\n")
	wantError(t, config.Swap(name, "# mine\n", "# mine\nruns = 1\n", true, taken), "somebody else has changed it")
	wantError(t, config.Swap(name, "", "runs = 1\n", false, taken), "somebody else has changed it")
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
