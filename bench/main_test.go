//go:build linux

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakes has command lines that measure nothing.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ args, want string }{
		{"", `section ""`},
		{"more", `section "more"`},
		{"-unknown checks", "-unknown"},
		{"-into /nowhere/file.md checks", "/nowhere/file.md"},
		{"checks -rounds 0", "is not positive"},
		{"requests -nrpe /nowhere/nrpe", "/nowhere/nrpe"},
	} {
		if err := run(t.Context(), strings.Fields(row.args), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.args, err, row.want)
		}
	}
}

// TestHelp wants help to be no mistake, and to leave files alone.
func TestHelp(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file.md")
	if err := os.WriteFile(file, []byte("## Checks\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-h"}, {"-into", file, "checks", "-h"}, {"requests", "-h"}} {
		said := &strings.Builder{}
		if err := run(t.Context(), args, io.Discard, said); err != nil || !strings.Contains(said.String(), "  -") {
			t.Errorf("%q: %v, %q", args, err, said)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "## Checks\n" {
		t.Errorf("%q, %v", text, err)
	}
}
