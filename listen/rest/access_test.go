package rest_test

import (
	"net/http"
	"strings"
	"testing"
)

// asked are requests of users, and how they are answered.
var asked = []struct {
	user, verb, path string
	status           int
}{
	{"", "GET", "/", 200},
	{"", "GET", "/core/isalive", 200},
	{"", "GET", "/api/openapi.json", 200},
	{"", "GET", "/api", 401},
	{"", "GET", "/query/c", 401},
	{"", "GET", "/api/v2/queries/c/commands/execute", 401},
	{"", "POST", "/api/v2/modules/x", 401},
	{"nobody", "GET", "/api/v2/info", 401},
	{"", "GET", "/nothing", 404},
	{"client", "GET", "/api/v2/info", 200},
	{"client", "HEAD", "/api/v2/info", 200},
	{"client", "GET", "/api/v2/queries/c/commands/execute", 200},
	{"client", "GET", "/api/v2/modules", 200},
	{"client", "GET", "/api/v2/modules/web/commands/unload", 403},
	{"client", "PUT", "/api/v2/modules/web", 403},
	{"client", "POST", "/api/v2/reload", 403},
	{"client", "GET", "/api/v2/settings", 403},
	{"monitoring", "GET", "/api/v2/metrics", 200},
	{"monitoring", "GET", "/query/c", 200},
	{"monitoring", "POST", "/auth/token", 200},
	{"monitoring", "GET", "/api/v2/modules", 403},
	{"disks", "GET", "/api/v2/queries/check_disk/commands/execute", 200},
	{"disks", "GET", "/api/v2/queries/CHECK_DISK/commands/execute", 200},
	{"disks", "GET", "/api/v2/queries/check%5Fdisk/commands/execute", 200},
	{"disks", "GET", "/query/check_disk2", 200},
	{"disks", "GET", "/query/check_cpu", 403},
	{"disks", "GET", "/api/v2/queries/check_cpu/commands/execute", 403},
	{"disks", "GET", "/api/v2/queries/..%2F..%2Fmodules/commands/execute", 403},
	{"disks", "GET", "/api/v2/queries/../modules", 404},
	{"disks", "GET", "/api/v2/queries/%2e%2e/commands/execute", 403},
	{"disks", "GET", "/api/v2/queries/check_disk%2f..%2f..%2fx/commands/execute", 200}, // one command of a silly name
	{"disks", "GET", "/api/v2/queries%2Fcheck_disk", 404},
	{"", "POST", "/api/v2/schedule/disk/commands/run", 401},
	{"client", "POST", "/api/v2/schedule/disk/commands/run", 200},
	{"monitoring", "GET", "/api/v2/schedule", 200},
	{"monitoring", "POST", "/api/v2/schedule/web%2Fpage%201/commands/run", 200},
	{"disks", "GET", "/api/v2/schedule/disk", 200},
	{"disks", "POST", "/api/v2/schedule/disk/commands/run", 200},
	{"disks", "GET", "/api/v2/schedule/web%2Fpage%201", 403},
	{"disks", "POST", "/api/v2/schedule/web%2Fpage%201/commands/run", 403},
	{"icinga", "DELETE", "/api/v2/schedule/disk", 405},
	{"admin", "GET", "/api/v2/settings", 200},
}

// TestWhoMayAsk has 401 for who is unknown and 403 for who may not.
func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	for _, row := range asked {
		a := ask(t, s, row.user, row.verb, row.path, "")
		if a.status != row.status {
			t.Errorf("%s: %s %s is %d %s, want %d", row.user, row.verb, row.path, a.status, a.body, row.status)
		}
		if (a.status == 401) != (len(a.header.Values("WWW-Authenticate")) == 2) {
			t.Errorf("%s %s: %d with WWW-Authenticate %q", row.verb, row.path, a.status, a.header.Values("WWW-Authenticate"))
		}
		if a.status >= 400 && (a.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(a.body, `{"error":"`)) {
			t.Errorf("%s %s: %s %s", row.verb, row.path, a.header.Get("Content-Type"), a.body)
		}
	}
}

// TestRefusedChangesAreAudited has a user try what is not granted.
func TestRefusedChangesAreAudited(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	for _, path := range []string{"/api/v2/modules/web/commands/unload", "/api/v2/settings", "/query/c"} {
		ask(t, s, "disks", "GET", path, "")
	}
	told := g.told()
	if len(told) != 1 || told[0].User != "disks" || told[0].Name != "GET /api/v2/modules/web/commands/unload" || told[0].Err == nil {
		t.Errorf("audited %+v", told)
	}
}

// TestCredentials presents them in every way.
func TestCredentials(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	s := g.serve(t)
	session := g.Users.Mint(g.identity(t, "client"))
	for _, row := range []struct {
		name, value, user string
	}{
		{"Authorization", "Basic YWRtaW46YWRtaW4=", "admin"},
		{"Authorization", "Basic Y2xpZW50OmNsaWVudA==", "client"},
		{"Authorization", "Basic YWRtaW46d3Jvbmc=", ""},
		{"Authorization", "Basic !", ""},
		{"Authorization", "Bearer client-token", "client"},
		{"Authorization", "Bearer " + session, "client"},
		{"Authorization", "Bearer ", ""},
		{"X-Auth-Token", session, "client"},
		{"TOKEN", "monitoring-token", "monitoring"},
		{"Password", "admin", "admin"},
		{"password", "client", ""},
		{"Cookie", "token=admin-token; uid=admin", ""},
	} {
		a := ask(t, s, "", "GET", "/api/v2/login", "", row.name, row.value)
		if row.user == "" && a.status != http.StatusUnauthorized || row.user != "" && !strings.Contains(a.body, `"user":"`+row.user+`"`) {
			t.Errorf("%s: %s is %d %s, want %q", row.name, row.value, a.status, a.body, row.user)
		}
	}
	for _, query := range []string{"password=admin", "TOKEN=admin-token", "token=" + session} {
		if a := ask(t, s, "", "GET", "/api/v2/login?"+query, "", "User-Agent", "Icinga/check_nscp_api/r2.13"); a.status != http.StatusUnauthorized {
			t.Errorf("credentials in the query: %d %s", a.status, a.body)
		}
	}
}
