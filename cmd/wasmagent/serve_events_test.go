//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/wasmtest"
)

const watching = `{"name": "m", "scripts": ["a.wasm", "note.wasm"], "subscribe": [{"on": "state_change", "run": "note"}]}`

// A check of the schedule fails, and a module that subscribes is told, in an agent
// that serves.
func TestServeTellsModulesOfEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module(t, filepath.Join(dir, "m"), watching, answering("down", 2))
	write(t, filepath.Join(dir, "m", "note.wasm"), string(wasmtest.Copy()))
	write(t, filepath.Join(dir, "config.toml"), "modules.m.path = \"m\"\nlog.level = \"debug\"\n[schedule.site]\ncommand = \"a -v\"\ninterval = \"1s\"\nmax_check_attempts = 1\n")
	s := serve(t, dir)
	s.await(t, "origin=event")
	for _, want := range []string{"command=m.note", "state=OK", `\"command\":\"a\"`, `\"origin\":\"schedule\"`, `\"state_change\":true`, `\"check\":\"site\"`, `\"state_type\":\"HARD\"`, `\"lost\":0`} {
		if line := s.all[len(s.all)-1]; !strings.Contains(line, want) {
			t.Errorf("the line is without %s: %s", want, line)
		}
	}
}
