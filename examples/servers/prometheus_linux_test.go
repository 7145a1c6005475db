package servers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// followPrometheus starts Prometheus with the file of the page, and queries it.
func followPrometheus(t *testing.T, p page, a agent) {
	t.Parallel()
	binary := needs.Program(t, "prometheus")
	promtool := needs.Program(t, "promtool")
	h := newHome(t)
	certificate, err := os.ReadFile(a.pem)
	if err != nil {
		t.Fatal(err)
	}
	h.write(t, "wasmagent.pem", string(certificate))
	h.write(t, "wasmagent.token", a.token+"\n")
	config := h.write(t, "prometheus.yml", p.file(t, "/etc/prometheus/prometheus.yml",
		"/etc/prometheus", h.dir, "127.0.0.1:9665", "127.0.0.1:"+a.ports["prometheus"], "15s", "1s"))
	h.run(t, "", promtool, "check", "config", config)
	s := h.start(t, "prometheus", binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(h.dir, "tsdb"), "--web.listen-address=127.0.0.1:0")
	s.wait(t, `msg="Listening on"`)
	address := regexp.MustCompile(`msg="Listening on" address=(\S+)`).FindStringSubmatch(s.read())
	for expression, want := range map[string]string{
		`up{job="wasmagent"}`:                   "1",
		`wasmagent_check_state{check="uptime"}`: "0",
	} {
		until(t, s, func() (string, bool) {
			got, err := query("http://"+address[1], expression)
			return fmt.Sprintf("%s is %q (%v), want %q", expression, got, err, want), err == nil && got == want
		})
	}
}

// query asks Prometheus for the value of the one series of an expression.
func query(server, expression string) (string, error) {
	response, err := http.Get(server + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Data.Result) != 1 {
		return "", err
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), nil
}
