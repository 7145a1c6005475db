package check_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
)

func TestEventJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	request := check.Request{Command: "check_http", Args: []string{"--password=hunter2"}, Origin: check.Schedule}
	result := `{"state":"CRITICAL","exit_status":2,"text":"down","long":"","perf":[],"usage":{"wall_seconds":0,"instructions":0,"memory_bytes":0,"output_bytes":0,"exit_status":null}}`
	head := `{"number":7,"time":"2026-01-02T03:04:05Z","module":"web","command":"check_http","origin":"schedule","result":` + result
	event := check.Event{Number: 7, Time: at, Module: "web", Request: request, Result: check.Result{State: check.StateCritical, Text: "down"}}
	failed, hard, soft := event, event, event
	failed.Err = errors.New("no room")
	hard.Standing = &check.Standing{Check: "site", Hard: true, HardState: check.StateCritical, Changed: true, Attempt: 3, MaxAttempts: 3, Since: at}
	soft.Standing = &check.Standing{Check: "site", HardState: check.StateOK, Attempt: 1, MaxAttempts: 3, Since: at}
	for _, tt := range []struct {
		name  string
		event check.Event
		tail  string
	}{
		{"asked for", event, `,"error":"","state_change":false,"standing":null}`},
		{"not run", failed, `,"error":"no room","state_change":false,"standing":null}`},
		{"hard", hard, `,"error":"","state_change":true,"standing":{"check":"site","state_type":"HARD","hard_state":"CRITICAL","attempt":3,"max_check_attempts":3,"since":"2026-01-02T03:04:05Z"}}`},
		{"soft", soft, `,"error":"","state_change":false,"standing":{"check":"site","state_type":"SOFT","hard_state":"OK","attempt":1,"max_check_attempts":3,"since":"2026-01-02T03:04:05Z"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(tt.event)
			if err != nil || string(got) != head+tt.tail {
				t.Errorf("%s, %v\nwant %s", got, err, head+tt.tail)
			}
		})
	}
}
