package scaffold_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/scaffold"
	"github.com/wasmagent/wasmagent/zipmod"
)

func TestNew(t *testing.T) {
	t.Parallel()
	if want := []string{"assemblyscript", "c", "go", "rust"}; !slices.Equal(scaffold.Languages(), want) {
		t.Errorf("languages %q, want %q", scaffold.Languages(), want)
	}
	for _, language := range scaffold.Languages() {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "v1.mine")
			prepare, err := scaffold.New(dir, language)
			if err != nil {
				t.Fatal(err)
			}
			if (prepare != "") != (language == "assemblyscript") {
				t.Errorf("prepare %q", prepare)
			}
			unbuilt := map[string]error{"scripts/check_memory.wasm": errors.New("not built")}
			m, err := zipmod.Open(dir, zipmod.Options{Absent: unbuilt})
			if err != nil {
				t.Fatal(err)
			}
			if m.Title != "v1.mine" || len(m.Scripts) != 1 || m.Scripts[0].Alias != "check_memory" || !slices.Equal(m.Permissions, []string{"/host/memory"}) {
				t.Errorf("module %+v", m)
			}
			readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`[modules."v1.mine"]`, "# v1.mine", "Edit scripts/check_memory/", prepare} {
				if !strings.Contains(string(readme), want) {
					t.Errorf("README.md lacks %q", want)
				}
			}
			if strings.Contains(string(readme), "[[") {
				t.Error("README.md is not filled in")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "notes"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ dir, language, want string }{
		{full, "go", "is not empty; name a new directory"},
		{filepath.Join(full, "notes"), "go", "notes"},
		{filepath.Join(full, "new"), "cobol", "want one of assemblyscript, c, go, rust"},
		{filepath.Join(full, "a b"), "go", `module name "a b"`},
	} {
		_, err := scaffold.New(test.dir, test.language)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("New(%s, %s): error %v, want one with %q", test.dir, test.language, err, test.want)
		}
	}
	if entries, err := os.ReadDir(full); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left behind, %v", len(entries), err)
	}
}

func TestNewInEmptyDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // its name is a number
	if _, err := scaffold.New(dir, "c"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "module.json")); err != nil {
		t.Fatal(err)
	}
}
