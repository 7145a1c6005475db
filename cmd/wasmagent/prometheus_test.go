//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// TestPrometheus has a real Prometheus server scrape an agent that runs scheduled
// checks, and probe it.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	prometheus := needs.Program(t, "prometheus")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.toml"), `
[directories]
data = "data"
[modules]
CheckSystem = true
[prometheus]
listen = ["127.0.0.1:0"]
[schedule.disk]
command = "check_drivesize drive=/ warn=0% crit=none"
interval = "1s"
max_check_attempts = 1
`)
	token, err := exec.CommandContext(t.Context(), "wasmagent", "--config", filepath.Join(dir, "config.toml"),
		"user", "add", "prometheus", "--role", "monitoring", "--token").Output()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "token"), string(token))
	s := serve(t, dir)
	s.await(t, "msg=listening protocol=prometheus")
	_, address, _ := strings.Cut(s.all[len(s.all)-1], "address=")
	s.await(t, "msg=ready")
	write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - &agent
    job_name: agent
    scheme: https
    tls_config: {ca_file: data/tls/cert.pem}
    authorization: {credentials_file: token}
    static_configs: [{targets: [%q]}]
  - <<: *agent
    job_name: probe
    metrics_path: /probe
    params: {command: [check_uptime], arg: ["crit=1:"]}
  - <<: *agent
    job_name: wrong
    metrics_path: /probe
    params: {command: [check_uptmie]}
`, address))
	server := startPrometheus(t, prometheus, dir)
	for expression, want := range map[string]string{
		`wasmagent_check_hard_state{check="disk"}`:                                                   "1",
		`wasmagent_check_perf_bound_bytes{check="disk",label="/ used",bound="warning_above"}`:        "0",
		`wasmagent_check_perf_bytes{check="disk",label="/ used"} > bool 0`:                           "1",
		`wasmagent_runs_total{command="check_drivesize",origin="schedule",state="warning"} > bool 0`: "1",
		`wasmagent_runs_total{command="check_uptime",origin="probe",state="ok"} > bool 0`:            "1",
		`wasmagent_runs_refused_total{origin="probe",reason="unknown"} > bool 0`:                     "1",
		fmt.Sprintf(`wasmagent_listener_requests_total{listener="prometheus %s"} > bool 0`, address): "1",
		`wasmagent_modules{state="loaded"}`:                                                          "1",
		`wasmagent_config_last_reload_successful`:                                                    "1",
		`process_resident_memory_bytes{job="agent"} > bool 0`:                                        "1",
		`probe_success{job="probe"}`:                                                                 "1",
		`probe_perf_seconds{label="uptime"} > bool 0`:                                                "1",
		`up{job="wrong"}`: "0",
	} {
		wantQuery(t, server, expression, want)
	}
}

// startPrometheus starts a server and returns its URL.
func startPrometheus(t *testing.T, program, dir string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--web.listen-address=127.0.0.1:0")
	c.Dir = dir
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	bound := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := bound.FindStringSubmatch(lines.Text()); found != nil {
			return "http://" + found[1]
		}
	}
	t.Fatal("prometheus ended at once")
	return ""
}

// wantQuery asks a Prometheus server until an expression has a value, or the test ends.
func wantQuery(t *testing.T, server, expression, want string) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		got, err := query(t.Context(), server, expression)
		if err == nil && got == want {
			return
		}
		select {
		case <-again.C:
		case <-t.Context().Done():
			t.Fatalf("%s is %s (%v), want %s", expression, got, err, want)
		}
	}
}

// query is the value of an expression of one series.
func query(ctx context.Context, server, expression string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/query?query="+url.QueryEscape(expression), nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if len(answer.Data.Result) != 1 {
		return "", fmt.Errorf("%d series %s", len(answer.Data.Result), answer.Error)
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), nil
}

// TestServePushes has an agent push its metrics, and once more when it ends.
func TestServePushes(t *testing.T) {
	t.Parallel()
	pushes := make(chan http.Header, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { pushes <- r.Header }))
	defer collector.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret"), "Bearer x\n")
	write(t, filepath.Join(dir, "config.toml"), fmt.Sprintf(`
[directories]
data = "data"
[otlp]
endpoint = %q
headers = { Authorization = { file = "secret" } }
interval = "1h"
`, collector.URL))
	s := serve(t, dir)
	s.await(t, "msg=ready")
	if h := <-pushes; h.Get("Authorization") != "Bearer x" || h.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("headers %v", h)
	}
	s.signal(t, os.Interrupt)
	s.await(t, "msg=stopped")
	select {
	case <-pushes:
	default:
		t.Error("nothing is pushed at the end")
	}
}
