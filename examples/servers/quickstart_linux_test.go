// Package servers_test follows docs/quickstart.md: it starts the agent and the
// monitoring servers for real, on loopback, with the files that the page shows, and
// reads from the servers what they have seen.
package servers_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// password is that of the user admin.
const password = "Quick-Start 1"

// A page is the files that docs/quickstart.md shows, by their names.
type page map[string]string

var (
	shown = regexp.MustCompile("(?s)`(/etc/[^`\n]+)`:\n\n```\\w*\n(.*?)\n```\n")
	rest  = regexp.MustCompile("(?s)Nagios can ask by REST.*?\n\n```cfg\n(.*?)\n```\n")
)

// quickstart reads the page. What it shows of Nagios and REST is a file as well.
func quickstart(t *testing.T) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "quickstart.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := page{}
	for _, found := range shown.FindAllStringSubmatch(string(text), -1) {
		p[found[1]] = found[2] + "\n"
	}
	byREST := rest.FindStringSubmatch(string(text))
	if len(p) != 4 || byREST == nil {
		t.Fatalf("docs/quickstart.md shows %d files, want those of the agent and of three servers, and Nagios by REST", len(p))
	}
	p["/etc/nagios4/conf.d/wasmagent-rest.cfg"] = byREST[1] + "\n"
	return p
}

// file is one of the page's, with words replaced.
func (p page) file(t *testing.T, name string, replace ...string) string {
	t.Helper()
	text, ok := p[name]
	if !ok {
		t.Fatalf("docs/quickstart.md shows no %s", name)
	}
	return replaced(t, text, replace...)
}

// replaced is a text with other words in the place of some, each of which has to be
// there.
func replaced(t *testing.T, text string, words ...string) string {
	t.Helper()
	for i := 0; i < len(words); i += 2 {
		if !strings.Contains(text, words[i]) {
			t.Fatalf("%q is not in\n%s", words[i], text)
		}
		text = strings.ReplaceAll(text, words[i], words[i+1])
	}
	return text
}

// TestQuickstart runs all of it.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	p := quickstart(t)
	a := startAgent(t, p)
	t.Run("nagios", func(t *testing.T) { followNagios(t, p, a) })
	t.Run("icinga", func(t *testing.T) { followIcinga(t, p, a) })
	t.Run("prometheus", func(t *testing.T) { followPrometheus(t, p, a) })
}

// ports are those of an agent's listeners by what is spoken there.
func ports(t *testing.T, log string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`(nrpe|rest|prometheus)=(\S+)`).FindAllStringSubmatch(log, -1) {
		_, port, err := net.SplitHostPort(m[2])
		if err != nil {
			t.Fatal(err)
		}
		found[m[1]] = port
	}
	if len(found) != 3 {
		t.Fatalf("the agent does not say where it listens: %s", log)
	}
	return found
}

// An agent is one that serves.
type agent struct {
	ports map[string]string
	token string // of Prometheus
	pem   string // its certificate
}

// startAgent makes the users and serves, as the page says.
func startAgent(t *testing.T, p page) agent {
	t.Helper()
	home := newHome(t)
	binary := filepath.Join(home.dir, "wasmagent")
	home.build(t, binary)
	config := home.write(t, "config.toml", p.file(t, "/etc/wasmagent/config.toml",
		"/var/lib/wasmagent", filepath.Join(home.dir, "data"), "127.0.0.1:5666", "127.0.0.1:0", "127.0.0.1:8443", "127.0.0.1:0", "127.0.0.1:9665", "127.0.0.1:0",
		`interval = "1m"`, `interval = "1s"`))
	home.run(t, password+"\n", binary, "--config", config, "user", "add", "admin", "--role", "monitoring", "--password-file", "-")
	token := home.run(t, "", binary, "--config", config, "user", "add", "prometheus", "--role", "monitoring", "--token")
	home.run(t, "", binary, "--config", config, "config", "check")
	log := home.start(t, "agent", binary, "--config", config, "serve").wait(t, "msg=ready ")
	return agent{ports(t, log), strings.TrimSpace(token), filepath.Join(home.dir, "data", "tls", "cert.pem")}
}
