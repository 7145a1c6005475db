package rest_test

import (
	"net"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// output runs a program and returns what it prints with its exit status.
func output(t *testing.T, program string, args ...string) (string, int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out), c.ProcessState.ExitCode()
}

func port(t *testing.T, s *httptest.Server) string {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestCheckNscpAPI asks with Icinga 2's plugin, which speaks HTTP/1.0, gives the
// password in a header, and prints the parts of the JSON document.
func TestCheckNscpAPI(t *testing.T) {
	t.Parallel()
	plugin := needs.Program(t, "/usr/lib/nagios/plugins/check_nscp_api")
	s := newAgentry().serve(t)
	for _, row := range []struct {
		password string
		args     []string
		status   int
		says     string
	}{
		{"admin", []string{"-q", "c"}, 3, `c c [] | `},
		{"admin", []string{"-q", "c", "-a", "OK", "warn=load > 80", "x=ä&+", "show-all"}, 0, `c c ["OK" "warn=load > 80" "x=ä&+" "show-all"] | `},
		{"admin", []string{"-q", "c", "-a", "WARNING"}, 1, `c c ["WARNING"] | `},
		{"admin", []string{"-q", "c", "-a", "CRITICAL"}, 2, `c c ["CRITICAL"] | `},
		{"admin", []string{"-q", "perf"}, 1, "perf t\nl1\nl2 | 'a'=30%;80;4:5;0;1000000000 'b c'=12884901888.500000B;13743895347;@~:9 'u'=U;; "},
		{"admin", []string{"-q", "missing"}, 3, "missing no such command | "},
		{"wrong", []string{"-q", "c", "-a", "OK"}, 3, "wrong credentials"},
	} {
		out, status := output(t, plugin, append([]string{"-H", "127.0.0.1", "-P", port(t, s), "--password", row.password}, row.args...)...)
		if status != row.status || !strings.Contains(out, row.says) {
			t.Errorf("%q: %d %q, want %d %q", row.args, status, out, row.status, row.says)
		}
	}
}

// TestCurl uses the API from a command line: HTTP/2, gzip, an upload.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := needs.Program(t, "curl")
	g := newAgentry()
	s := g.serve(t)
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"-u", "admin:admin", "/api/v2/info/version"}, `{"version":"1.2.3"}` + "\n200 2"},
		{[]string{"-u", "admin:admin", "--http1.1", "--compressed", "/query/c?OK"}, "200 1.1"},
		{[]string{"-u", "admin:wrong", "/api"}, `{"error":"wrong credentials"}` + "\n401 2"},
		{[]string{"-H", "password: admin", "-H", "Accept: text/plain", "/query/c?WARNING&x=1"}, "c [\"WARNING\" \"x=1\"]\n202 2"},
		{[]string{"-u", "admin:admin", "-I", "/api/v2/info"}, "200 2"},
		{[]string{"-u", "admin:admin", "-X", "PUT", "-d", `{"loaded":true}`, "/api/v2/modules/off"}, `{"result":0,"message":"Success load off"}` + "\n200 2"},
		{[]string{"-u", "admin:admin", "--data-binary", "PK zip", "/api/v2/modules/x"}, `{"result":0,"message":"Success upload x"}` + "\n200 2"},
		{[]string{"-u", "admin:admin", "-F", "x=1", "/api/v2/modules/y"}, "415 2"},
	} {
		args := append([]string{"-sk", "-w", "%{http_code} %{http_version}"}, row.args...)
		args[len(args)-1] = s.URL + args[len(args)-1]
		if out, status := output(t, curl, args...); status != 0 || !strings.HasSuffix(out, row.says) {
			t.Errorf("curl %q: %d %s, want %s", row.args, status, out, row.says)
		}
	}
	if g.zips["x"] != "PK zip" {
		t.Errorf("uploaded: %q", g.zips)
	}
}
