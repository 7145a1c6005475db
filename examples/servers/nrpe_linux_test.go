package servers_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// TestImportedNRPE has check_nrpe ask Debian's nrpe with the configuration that its
// package brings, and the agent with what "wasmagent import" makes of that.
func TestImportedNRPE(t *testing.T) {
	t.Parallel()
	daemon := needs.Program(t, "/usr/sbin/nrpe")
	client := needs.Program(t, "/usr/lib/nagios/plugins/check_nrpe")
	stock, err := os.ReadFile("/etc/nagios/nrpe.cfg")
	if err != nil {
		needs.Missing(t, err)
	}
	h := newHome(t)
	binary := filepath.Join(h.dir, "wasmagent")
	h.build(t, binary)
	agent := imported(t, h, binary, "/etc/nagios/nrpe.cfg")
	port := freePort(t)
	config := h.write(t, "nrpe.cfg", replaced(t, string(stock), "server_port=5666", "server_port="+port, "pid_file=/run/nagios/nrpe.pid", "pid_file="+filepath.Join(h.dir, "nrpe.pid")))
	s := h.start(t, "nrpe", daemon, "-c", config, "-f")
	until(t, s, func() (string, bool) {
		_, answer := h.answer(t, client, "-H", "127.0.0.1", "-p", port)
		return "nrpe answers " + answer, strings.HasPrefix(answer, "NRPE v")
	})
	commands := regexp.MustCompile(`(?m)^command\[(\w+)\]=`).FindAllStringSubmatch(string(stock), -1)
	if len(commands) == 0 {
		t.Fatal("Debian's nrpe.cfg has no commands")
	}
	for _, command := range commands {
		_, theirs := h.answer(t, client, "-H", "127.0.0.1", "-p", port, "-c", command[1])
		_, ours := h.answer(t, client, "-H", "127.0.0.1", "-p", agent, "-c", command[1])
		if kind(ours) != kind(theirs) {
			t.Errorf("%s: the agent answers %q, nrpe %q", command[1], ours, theirs)
		}
	}
	if status, answer := h.answer(t, client, "-H", "127.0.0.1", "-p", agent, "-c", "check_nothing"); status != 3 || !strings.Contains(answer, "check_nothing") {
		t.Errorf("a command that is not there: %d, %q", status, answer)
	}
	if status, answer := h.answer(t, client, "-H", "127.0.0.1", "-p", agent, "-c", "check_users", "-a", "-w 5"); status != 3 {
		t.Errorf("an argument, which dont_blame_nrpe=0 forbids: %d, %q", status, answer)
	}
}

// imported serves what an import makes of a file, and returns the port of NRPE.
func imported(t *testing.T, h home, binary, file string) (port string) {
	t.Helper()
	h.run(t, "", binary, "import", "--output", filepath.Join(h.dir, "agent", "config.toml"), file)
	config := filepath.Join(h.dir, "agent", "config.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	data := "[directories]\ndata = \"" + filepath.Join(h.dir, "data") + "\"\n"
	h.write(t, "agent/config.toml", replaced(t, string(text), `listen = [":5666"]`, `listen = ["127.0.0.1:0"]`)+data)
	h.run(t, "", binary, "--config", config, "config", "check")
	log := h.start(t, "imported", binary, "--config", config, "serve").wait(t, "msg=ready ")
	found := regexp.MustCompile(`nrpe=127\.0\.0\.1:(\d+)`).FindStringSubmatch(log)
	if found == nil {
		t.Fatalf("the agent does not say where it listens: %s", log)
	}
	return found[1]
}

// kind is what an answer is about: its words without figures, for load and the number
// of processes are others at each run, and the states with them.
func kind(answer string) string {
	text, _, _ := strings.Cut(answer, "|")
	text = regexp.MustCompile(`[0-9][0-9.,]*`).ReplaceAllString(text, "N")
	return regexp.MustCompile(`OK|WARNING|CRITICAL`).ReplaceAllString(strings.TrimSpace(text), "STATE")
}
