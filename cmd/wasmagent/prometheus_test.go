//go:build unix

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/internal/promtest"
)

// TestPrometheus has a real Prometheus server scrape an agent that runs scheduled
// checks, and probe it.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	needs.Program(t, "prometheus")
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
	server := promtest.Start(t, dir, "prometheus.yml")
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
		promtest.Want(t, server, expression, want)
	}
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
