package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/listen/rest"
)

// schedule has a check that has not run before runNow, one of another command with a
// name that has to be encoded, and one that is running.
func (g *agentry) schedule() []rest.Scheduled {
	g.mu.Lock()
	defer g.mu.Unlock()
	disk := rest.Scheduled{Name: "disk", Command: "check_drivesize", Interval: 5 * time.Minute, Next: noon.Add(time.Minute)}
	if g.runs > 0 {
		disk.Last = diskRun(g.runs)
	}
	page := event(2)
	return []rest.Scheduled{
		{Name: "busy", Command: "check_drivesize", Interval: 1500 * time.Millisecond, Running: true, Missed: 7},
		disk,
		{Name: "web/page 1", Command: "check_x", Cron: "@hourly", Last: page, Next: noon.Add(time.Hour)},
	}
}

// runNow finds a disk that fills.
func (g *agentry) runNow(ctx context.Context, name string) (check.Event, error) {
	switch name {
	case "busy":
		return check.Event{}, &rest.Refusal{Status: http.StatusServiceUnavailable, Err: errors.New("check busy: the scheduler has ended")}
	case "web/page 1":
		return event(2), ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.runs++
	return diskRun(g.runs), ctx.Err()
}

func diskRun(n int) check.Event {
	return check.Event{
		Time: noon, Request: check.Request{Command: "check_drivesize", Args: []string{"secret"}, Origin: check.Schedule},
		Result: check.Result{State: check.StateWarning, Text: "WARNING: / is at 85%", Perf: []check.Perf{
			{Label: "/ used", Value: 85, Unit: "%", Warn: &check.Range{End: 80}, Crit: &check.Range{End: 90}},
		}},
		Standing: &check.Standing{Check: "disk", HardState: check.StateOK, Attempt: n, MaxAttempts: 3, Since: noon.Add(-time.Hour)},
	}
}

const (
	ran     = `"state":"WARNING","text":"WARNING: / is at 85%","standing":{"check":"disk","state_type":"SOFT","hard_state":"OK","attempt":1,"max_check_attempts":3,"since":"2026-03-01T11:00:00Z"},"last_run":"2026-03-01T12:00:00Z"`
	pageRan = `"state":"WARNING","text":"run 2","standing":{"check":"x","state_type":"HARD","hard_state":"WARNING","attempt":3,"max_check_attempts":3,"since":"0001-01-01T00:00:00Z"},"last_run":"2026-03-01T12:00:00Z"`
	unran   = `"state":null,"text":"","standing":null,"last_run":null`
)

// TestSchedule lists the checks of who may run their commands, before and after one
// of them has run.
func TestSchedule(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	url := s.URL + "/api/v2/schedule/"
	listed := func(disk string) string {
		return `{"name":"busy","command":"check_drivesize","schedule_url":"` + url + `busy","interval_seconds":1.5,"cron":"",` + unran + `,"next_run":null,"running":true,"missed":7},` +
			`{"name":"disk","command":"check_drivesize","schedule_url":"` + url + `disk","interval_seconds":300,"cron":"",` + disk + `,"next_run":"2026-03-01T12:01:00Z","running":false,"missed":0}`
	}
	const page = `"interval_seconds":0,"cron":"@hourly",` + pageRan + `,"next_run":"2026-03-01T13:00:00Z","running":false,"missed":0`
	want := func(user, path, body string) {
		t.Helper()
		if a := ask(t, s, user, "GET", path, ""); a.status != http.StatusOK || a.body != body+"\n" {
			t.Errorf("%s for %s: %d %s\nwant %s", path, user, a.status, a.body, body)
		}
	}
	want("disks", "/api/v2/schedule", "["+listed(unran)+"]")
	ask(t, s, "client", "POST", "/api/v2/schedule/disk/commands/run", "")
	want("disks", "/api/v2/schedule/", "["+listed(ran)+"]")
	want("monitoring", "/api/v2/schedule", "["+listed(ran)+`,{"name":"web/page 1","command":"check_x","schedule_url":"`+url+`web%2Fpage%201",`+page+"}]")
	want("client", "/api/v2/schedule/web%2fpage%201/", `{"name":"web/page 1","command":"check_x",`+page+`,"run_url":"`+url+`web%2Fpage%201/commands/run"}`)
	get(t, s, "/api/v2/schedule/DISK", http.StatusNotFound) // there may be both
	g = newAgentry()
	g.Schedule = nil
	if a := get(t, g.serve(t), "/api/v1/schedule", http.StatusOK); a.body != "[]\n" {
		t.Errorf("without a schedule: %s", a.body)
	}
}

// TestRunScheduled runs checks on demand, and wants it to be audited.
func TestRunScheduled(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	result := func(attempt int) string {
		return `{"command":"check_drivesize","result":1,"lines":[{"message":"WARNING: / is at 85%","perf":{"/ used":{"value":85,"unit":"%","warning":80,"critical":90}}}],` +
			fmt.Sprintf(`"standing":{"check":"disk","state_type":"SOFT","hard_state":"OK","attempt":%d,"max_check_attempts":3,"since":"2026-03-01T11:00:00Z"}}`, attempt)
	}
	for _, row := range []struct {
		user, path, accept string
		status             int
		body, told         string
	}{
		{"client", "/api/v2/schedule/disk/commands/run", "", 200, result(1), "client run disk <nil>"},
		{"disks", "/api/v1/schedule/d%69sk/commands/run/", "", 200, result(2), "disks run disk <nil>"},
		{"admin", "/api/v2/schedule/disk/commands/run", "text/plain", 202, "WARNING: / is at 85%|'/ used'=85%;80;90", "admin run disk <nil>"},
		{"admin", "/api/v2/schedule/busy/commands/run", "", 503, `{"error":"check busy: the scheduler has ended"}`, "admin run busy check busy: the scheduler has ended"},
		{"admin", "/api/v2/schedule/busy/commands/run", "text/plain", 503, "check busy: the scheduler has ended", "admin run busy check busy: the scheduler has ended"},
		{"admin", "/api/v2/schedule/no%2Fne/commands/run", "", 404, `{"error":"there is no scheduled check \"no/ne\"; see ` + s.URL + `/api/v2/schedule"}`,
			`admin run no/ne there is no scheduled check "no/ne"; see ` + s.URL + `/api/v2/schedule`},
		{"disks", "/api/v2/schedule/web%2Fpage%201/commands/run", "", 403, `{"error":"user disks may not run \"check_x\": no role of the user names it in commands"}`,
			`disks run web/page 1 user disks may not run "check_x": no role of the user names it in commands`},
	} {
		a := ask(t, s, row.user, "POST", row.path, "", "Accept", row.accept)
		if a.status != row.status || strings.TrimSuffix(a.body, "\n") != row.body || (a.status == 503) != (a.header.Get("Retry-After") != "") {
			t.Errorf("%s for %s: %d %s\nwant %d %s", row.path, row.user, a.status, a.body, row.status, row.body)
		}
		var told string
		for _, done := range g.told() {
			told += fmt.Sprint(done.User, " ", done.Name, " ", done.Err)
		}
		if told != row.told {
			t.Errorf("%s for %s: audited %q, want %q", row.path, row.user, told, row.told)
		}
	}
	if a := ask(t, s, "admin", "POST", "/api/v2/schedule/disk/commands/run", "", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden || g.runs != 3 {
		t.Errorf("for the page of another site: %d %s after %d runs", a.status, a.body, g.runs)
	}
}
