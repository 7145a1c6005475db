package servers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/internal/promtest"
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
	server := promtest.Address(s.read())
	for expression, want := range map[string]string{
		`up{job="wasmagent"}`:                   "1",
		`wasmagent_check_state{check="uptime"}`: "0",
	} {
		until(t, s, func() (string, bool) {
			got, err := promtest.Query(t.Context(), server, expression)
			return fmt.Sprintf("%s is %q (%v), want %q", expression, got, err, want), err == nil && got == want
		})
	}
}
