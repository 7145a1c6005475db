package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/listen/rest"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	const ca = `{"path":"/","key":"ca","value":"ca.pem"}`
	const web = `{"path":"/modules/web","key":"enabled","value":"true"}`
	const env = `{"path":"/modules/web/env","key":"PASSWORD","value":"***"}`
	const website = `{"path":"/modules/website","key":"enabled","value":"false"}`
	for path, want := range map[string]string{
		"":                          ca + "," + web + "," + env + "," + website,
		"/":                         ca + "," + web + "," + env + "," + website,
		"/modules":                  web + "," + env + "," + website,
		"/modules/web/":             web + "," + env,
		"/modules/web/env/PASSWORD": env,
		"/ca":                       ca,
	} {
		if a := get(t, s, "/api/v2/settings"+path, http.StatusOK); a.body != "["+want+"]\n" {
			t.Errorf("%s: %s, want %s", path, a.body, want)
		}
	}
	for path, want := range map[string]string{
		"/status": `{"context":"toml:///etc/wasmagent/config.toml","type":"toml","has_changed":false}`,
		"/diff":   `{"count":0,"entries":[]}`,
	} {
		if a := get(t, s, "/api/v2/settings"+path, http.StatusOK); a.body != want+"\n" {
			t.Errorf("%s: %s, want %s", path, a.body, want)
		}
	}
	get(t, s, "/api/v2/settings/nothing", http.StatusNotFound)
}

// TestChangesOfTheConfiguration has those that are refused and those that reload.
func TestChangesOfTheConfiguration(t *testing.T) {
	t.Parallel()
	const refused = `{"error":"settings are changed in /etc/wasmagent/config.toml on the machine, and then read by a reload"}`
	for _, row := range []struct {
		verb, path, body string
		bad              bool // config.toml
		status           int
		want, told       string
	}{
		{"PUT", "/api/v2/settings/modules", `{"key":"a","value":"b"}`, false, 403, refused, "set /modules"},
		{"DELETE", "/api/v1/settings/modules/web", "", false, 403, refused, "set /modules/web"},
		{"POST", "/api/v2/settings/command", `{"command":"save"}`, false, 200, `{"status":"success"}`, ""},
		{"POST", "/api/v2/settings/command", `{"command":"reload"}`, false, 200, `{"status":"success"}`, "reload"},
		{"POST", "/api/v2/settings/command", `{"command":"load"}`, true, 422, `{"error":"reload: line 3: bad"}`, "reload"},
		{"POST", "/api/v2/settings/command", `{"command":"sing"}`, false, 400, `{"error":"command \"sing\": want reload, load or save"}`, ""},
		{"POST", "/api/v2/settings/command", `[]`, false, 400, `{"error":"the body is not the JSON that is wanted here: json: cannot unmarshal array into Go value of type struct { Command string \"json:\\\"command\\\"\" }"}`, ""},
		{"POST", "/api/v2/reload", "", false, 200, `{"status":"reload"}`, "reload"},
		{"POST", "/api/v1/reload/", "", true, 422, `{"error":"reload: line 3: bad"}`, "reload"},
		{"POST", "/core/reload", "", false, 200, `{"status":"reload"}`, "reload"},
	} {
		g := newAgentry()
		if row.bad {
			g.Reload = func(context.Context) error {
				return fmt.Errorf("%w", &rest.Refusal{Status: http.StatusUnprocessableEntity, Err: errors.New("line 3: bad")})
			}
		}
		s := g.serve(t)
		a := ask(t, s, "admin", row.verb, row.path, row.body)
		told := g.told()
		if a.status != row.status || a.body != row.want+"\n" || (len(told) == 1) != (row.told != "") || row.told != "" && told[0].Name != row.told {
			t.Errorf("%s %s %s: %d %s %+v\nwant %d %s, %q", row.verb, row.path, row.body, a.status, a.body, told, row.status, row.want, row.told)
		}
	}
}

// TestOtherSites has a browser send what the page of another site wants it to.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	for site, status := range map[string]int{"": 200, "none": 200, "same-origin": 200, "same-site": 403, "cross-site": 403} {
		for _, request := range []string{
			"GET /api/v2/modules/web/commands/load", "GET /api/v1/queries/c/commands/execute", "HEAD /api/v2/queries/c/commands/execute_nagios",
			"GET /query/c", "GET /api/v2/login", "POST /auth/token", "DELETE /api/v2/events", "POST /api/v2/reload",
		} {
			verb, path, _ := strings.Cut(request, " ")
			if a := ask(t, s, "admin", verb, path, "", "Sec-Fetch-Site", site); a.status != status {
				t.Errorf("Sec-Fetch-Site %q: %s is %d %s, want %d", site, request, a.status, a.body, status)
			}
		}
		for _, path := range []string{"/api/v2/info", "/api/v2/queries/check_disk", "/"} {
			get(t, s, path, 200, "Sec-Fetch-Site", site)
		}
	}
	if told := len(g.told()); told != 3*2 {
		t.Errorf("%d changes", told)
	}
}
