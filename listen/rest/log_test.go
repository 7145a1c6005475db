package rest_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// remember gives it events and a log.
func (g *agentry) remember(t testing.TB) {
	t.Helper()
	g.observe(1, 2, 3)
	slog.New(g.Logs.Handler(slog.DiscardHandler)).Info("not enabled")
	log := slog.New(g.Logs.Handler(slog.NewTextHandler(t.Output(), nil)))
	log.Info("ready", "modules", 3)
	log.With("module", "web").WithGroup("g").Error("boom", "why", "x", slog.Group("h", "i", 1))
	log.Debug("not enabled")
	log.Warn("slow")
}

func TestLogs(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	g.remember(t)
	s := g.serve(t)
	info, boom, slow := `"level":"info","date":"D","message":"ready modules=3"}`, `"level":"error","date":"D","message":"boom module=web g.why=x g.h.i=1"}`, `"level":"warning","date":"D","message":"slow"}`
	const at = `{"file":"log_test.go","line":0,`
	for _, row := range []struct {
		path, want, count, link, index string
	}{
		{"/api/v2/logs", at + info + "," + at + boom + "," + at + slow, "3 1 10", `<S/api/v2/logs?page=1>; rel="last"`, ""},
		{"/api/v2/logs?per_page=2", at + info + "," + at + boom, "3 1 2", `<S/api/v2/logs?page=2&per_page=2>; rel="next", <S/api/v2/logs?page=2&per_page=2>; rel="last"`, ""},
		{"/api/v2/logs?per_page=2&page=2", at + slow, "3 2 2", `<S/api/v2/logs?page=2&per_page=2>; rel="last"`, ""},
		{"/api/v2/logs?page=9", "", "3 9 10", `<S/api/v2/logs?page=1>; rel="last"`, ""},
		{"/api/v1/logs?level=error,warning", at + boom + "," + at + slow, "2 1 10", `<S/api/v1/logs?level=error%2Cwarning&page=1>; rel="last"`, ""},
		{"/api/v2/logs/since", at + info + "," + at + boom + "," + at + slow, "3 1 10", `<S/api/v2/logs/since?page=1>; rel="last"`, "3"},
		{"/api/v2/logs/since?since=1&per_page=2", at + boom + "," + at + slow, "2 1 2", `<S/api/v2/logs/since?page=1&per_page=2&since=1>; rel="last"`, "3"},
		{"/api/v2/logs/since?since=3", "", "0 1 10", `<S/api/v2/logs/since?page=1&since=3>; rel="last"`, "3"},
	} {
		a := get(t, s, row.path, http.StatusOK)
		body := regexp.MustCompile(`"date":"\d{4}-\w{3}-\d\d \d\d:\d\d:\d\d"`).ReplaceAllString(a.body, `"date":"D"`)
		if body = regexp.MustCompile(`"line":[1-9]\d*`).ReplaceAllString(body, `"line":0`); body != "["+row.want+"]\n" {
			t.Errorf("%s: %s\nwant [%s]", row.path, body, row.want)
		}
		h := a.header
		if count := h.Get("X-Pagination-Count") + " " + h.Get("X-Pagination-Page") + " " + h.Get("X-Pagination-Limit"); count != row.count || h.Get("X-Log-Index") != row.index {
			t.Errorf("%s: %v, want %s and index %s", row.path, h, row.count, row.index)
		}
		if link := strings.ReplaceAll(h.Get("Link"), s.URL, "S"); link != row.link {
			t.Errorf("%s: link %s, want %s", row.path, link, row.link)
		}
	}
	for _, query := range []string{"?per_page=1", "?per_page=501", "?page=0", "?page=-1", "?page=x", "?page=99999999999999999999"} {
		get(t, s, "/api/v2/logs"+query, http.StatusBadRequest)
	}
	get(t, s, "/api/v2/logs/since?since=-1", http.StatusBadRequest)
}

func TestLogStatus(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	g.remember(t)
	s := g.serve(t)
	for _, row := range []struct{ verb, path, want, told string }{
		{"GET", "/api/v2/logs/status", `{"errors":1,"last_error":"boom module=web g.why=x g.h.i=1"}`, ""},
		{"DELETE", "/api/v2/logs/status", `{"errors":0,"last_error":""}`, "reset log status"},
		{"GET", "/api/v2/logs/status", `{"errors":0,"last_error":""}`, ""},
		{"DELETE", "/api/v2/logs", `{"count":0}`, "clear logs"},
		{"GET", "/api/v2/logs", `[]`, ""},
	} {
		a := ask(t, s, "admin", row.verb, row.path, "")
		if told := g.told(); a.body != row.want+"\n" || len(told) > 0 != (row.told != "") || row.told != "" && told[0].Name != row.told {
			t.Errorf("%s %s: %s %+v, want %s %q", row.verb, row.path, a.body, told, row.want, row.told)
		}
	}
}

// TestLogsAreBounded logs more than is kept, in records that are too long.
func TestLogsAreBounded(t *testing.T) {
	t.Parallel()
	g := newAgentry()
	log := slog.New(g.Logs.Handler(slog.NewTextHandler(discard{}, nil)))
	for i := range 1500 {
		log.Info(fmt.Sprint(i))
	}
	s := g.serve(t)
	if a := get(t, s, "/api/v2/logs?per_page=500", http.StatusOK); a.header.Get("X-Pagination-Count") != "1000" || !strings.Contains(a.body, `"message":"500"`) {
		t.Errorf("%v", a.header)
	}
	for range 400 {
		log.Info(strings.Repeat("é", 4<<10), "x", strings.Repeat("y", 4<<10))
	}
	a := get(t, s, "/api/v2/logs?per_page=500", http.StatusOK)
	if n := len(a.body); n > 3<<20/2 || n < 1<<19 || !strings.Contains(a.body, `é..."`) {
		t.Errorf("%d bytes", n)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
