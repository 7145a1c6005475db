package prometheus_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
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

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/needs"
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

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// server starts a Prometheus server and returns its URL once it listens.
func server(t *testing.T, dir, configuration string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), needs.Program(t, "prometheus"), "--config.file="+configuration,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				address <- found[1]
			}
		}
	}()
	t.Cleanup(func() { c.Cancel(); <-ended; c.Wait() })
	select {
	case a := <-address:
		return "http://" + a
	case <-ended:
		t.Fatal("prometheus ended at once")
	case <-t.Context().Done():
		t.Fatal("prometheus does not listen")
	}
	return ""
}

// query asks a Prometheus server for the value of an expression of one series.
func query(ctx context.Context, server, expression string) (value string, err error) {
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
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if answer.Status != "success" || len(answer.Data.Result) != 1 {
		return "", fmt.Errorf("%d series, status %s %s", len(answer.Data.Result), answer.Status, answer.Error)
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), nil
}

// wantValue asks until the value is there, or the test ends.
func wantValue(t *testing.T, server, expression, want string) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
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
	s := server(t, dir, configuration)
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
		wantValue(t, s, expression, want)
	}
}

// TestRules holds the rules of docs/prometheus.md to promtool.
func TestRules(t *testing.T) {
	t.Parallel()
	_, rules := documented(t)
	promtool(t, "check", "rules", "--lint-fatal", write(t, filepath.Join(t.TempDir(), "rules.yml"), rules))
}
