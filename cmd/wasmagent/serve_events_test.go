//go:build unix

package main

import (
	"path/filepath"
	"slices"
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

// A scheduled check is run on demand, and counts as if its time had come; then the
// schedule changes.
func TestServeRunsScheduledChecksOnDemand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := serving("modules.CheckHelpers = true\n[schedule.\"a/b c\"]\ncommand = \"check_warning full\"\ncron = \"0 0 29 2 *\"\nretry_interval = \"1h\"\n")
	write(t, filepath.Join(dir, "config.toml"), text)
	c := serve(t, dir).ready(t)
	const check = "/api/v2/schedule/a%2Fb%20c"
	c.wantRest(t, "GET", "/api/v2/schedule", nil, 200, `[{"name":"a/b c","command":"check_warning"`, `"cron":"0 0 29 2 *","state":null`, `"next_run":"`, `"running":false,"missed":0`)
	for _, want := range []string{
		`"state_type":"SOFT","hard_state":"OK","attempt":1,"max_check_attempts":3`,
		`"state_type":"SOFT","hard_state":"OK","attempt":2,"max_check_attempts":3`,
	} {
		c.wantRest(t, "POST", check+"/commands/run", nil, 200, `{"command":"check_warning","result":1,"lines":[{"message":"WARNING: full"`, want)
		c.wantRest(t, "GET", check, nil, 200, `"state":"WARNING"`, want)
	}
	c.wantRest(t, "POST", "/api/v1/schedule/a%2Fb%20c/commands/run", nil, 200, `"state_type":"HARD","hard_state":"WARNING","attempt":3`)
	c.wantRest(t, "GET", check+"/commands/run", nil, 405)
	c.wantRest(t, "POST", "/api/v2/schedule/none/commands/run", nil, 404, `\"none\"`)
	if got, want := told(t, dir), []string{"run a/b c  true", "run a/b c  true", "run a/b c  true", "run none  false"}; !slices.Equal(got, want) {
		t.Errorf("the audit log tells of %q, want %q", got, want)
	}
	write(t, filepath.Join(dir, "config.toml"), strings.Replace(text, "check_warning full", "check_ok", 1))
	c.wantRest(t, "POST", "/api/v2/reload", nil, 200)
	c.wantRest(t, "POST", check+"/commands/run", nil, 200, `{"command":"check_ok","result":0`, `"state_type":"HARD","hard_state":"OK","attempt":1`)
	write(t, filepath.Join(dir, "config.toml"), serving(""))
	c.wantRest(t, "POST", "/api/v2/reload", nil, 200)
	c.wantRest(t, "GET", "/api/v2/schedule", nil, 200, "[]")
	c.wantRest(t, "POST", check+"/commands/run", nil, 404)
}
