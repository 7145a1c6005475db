package prometheus_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/internal/promtest"
	"github.com/wasmagent/wasmagent/listen"
	"github.com/wasmagent/wasmagent/listen/prometheus"
	"github.com/wasmagent/wasmagent/metrics"
)

// documented are the blocks of YAML in docs/prometheus.md.
func documented(t *testing.T) (scrapes, rules string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/prometheus.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)\n```yaml\n(.*?)\n```\n").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 3 {
		t.Fatalf("docs/prometheus.md has %d blocks of YAML; want the scrape, the probe and the rules", len(blocks))
	}
	return blocks[0][1] + "\n" + blocks[1][1] + "\n", blocks[2][1] + "\n"
}

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), needs.Program(t, "promtool"), args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// hostile is a label that a module makes up.
const hostile = "\x00\x01\t\r\n\"\\{}#|\x7f\u2028\U0001F600\xff\ufeff end"

// agent serves a Metrics with one scheduled check, over TLS, and writes what the
// documented scrapes need to reach it.
func agent(t *testing.T, dir string) (address string) {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate
	certified.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})
	write(t, filepath.Join(dir, "wasmagent.pem"), string(ca))
	write(t, filepath.Join(dir, "wasmagent.token"), admin+"\n")
	disk := check.Decode([]byte("full|/=95%;80;90;0;100 io=7c"), 2)
	disk.Perf = append(disk.Perf, check.Perf{Label: hostile, Value: 1})
	m := metrics.New(metrics.Config{Version: "v1.2.3", Modules: func() []metrics.Module {
		return []metrics.Module{{Name: "hostile", Version: hostile}}
	}, Checks: func() []check.Event {
		return []check.Event{{
			Time: time.Unix(1_700_000_000, 0), Request: check.Request{Command: "check_drivesize"}, Result: disk,
			Standing: &check.Standing{Check: "disk", Hard: true, HardState: check.StateCritical, Attempt: 3, MaxAttempts: 3},
		}}
	}})
	h := handler(t, func(c *prometheus.Config) { c.Metrics = m })
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen.Serve(socket, listen.Settings{
		Handler: listen.HTTP{Handler: h},
		TLS:     &tls.Config{Certificates: certified.TLS.Certificates},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	return l.Addr().String()
}

// TestPrometheus has a real server read what docs/prometheus.md says, and judge it
// by the rules there.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address := agent(t, dir)
	scrapes, rules := documented(t)
	scrapes = strings.NewReplacer(
		"web1.example.com:9665", address, "/etc/prometheus/", dir+"/",
		"scrape_timeout: 10s", "scrape_timeout: 1s").Replace(scrapes)
	rulesFile := write(t, filepath.Join(dir, "rules.yml"), rules)
	configuration := write(t, filepath.Join(dir, "prometheus.yml"),
		"global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: ["+rulesFile+"]\n"+scrapes)
	promtool(t, "check", "config", configuration)
	s := promtest.Start(t, dir, configuration)
	instance := fmt.Sprintf("instance=%q", address)
	for expression, want := range map[string]string{
		`wasmagent_check_state{job="wasmagent",check="disk",` + instance + `}`:            "2",
		`wasmagent_check_perf_ratio{check="disk",label="/"}`:                              "0.95",
		`wasmagent_check_perf_bound_ratio{check="disk",label="/",bound="critical_above"}`: "0.9",
		`wasmagent_check_perf_total{check="disk",label="io"}`:                             "7",
		`wasmagent_check_last_run_timestamp_seconds`:                                      "1700000000",
		`count(wasmagent_build_info{version="v1.2.3"})`:                                   "1",
		`count(wasmagent_module_info{module="hostile",version=~"(?s).* end"})`:            "1",
		`wasmagent_check_perf_value{check="disk",label=~"(?s).* end"}`:                    "1",
		`up{job="wasmagent"}`: "1",
		`up{job="wasmagent-probes",check="check_uptime",agent="",` + instance + `}`:                  "1",
		`probe_success{check="check_uptime"}`:                                                        "0",
		`probe_state{check="check_uptime",` + instance + `}`:                                         "1",
		`probe_perf_value{check=~"check_drivesize drive=/ .*",label="args"}`:                         "3",
		`count(ALERTS{alertname="CheckCritical",alertstate="firing",check="disk",` + instance + `})`: "1",
		`count(ALERTS{alertname="AboveCritical",alertstate="firing",label="/"})`:                     "1",
		`count(ALERTS{alertname="CheckStale",alertstate="firing",check="disk"})`:                     "1",
		`count(ALERTS{alertname="ProbeFailed",alertstate="pending"})`:                                "2",
	} {
		promtest.Want(t, s, expression, want)
	}
}

// TestRules holds the rules of docs/prometheus.md to promtool.
func TestRules(t *testing.T) {
	t.Parallel()
	_, rules := documented(t)
	promtool(t, "check", "rules", "--lint-fatal", write(t, filepath.Join(t.TempDir(), "rules.yml"), rules))
}
