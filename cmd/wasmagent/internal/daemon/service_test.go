//go:build unix

package daemon_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kardianos/service"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/daemon"
	"github.com/wasmagent/wasmagent/internal/needs"
)

// TestAdapted has the texts of packages name another program with other arguments,
// everywhere.
func TestAdapted(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text, program string
		args          []string
		want          string
	}{
		"unit":               {daemon.Unit, "/opt/agent", []string{"--config", "/opt/c.toml", "serve"}, "\nExecStart=/opt/agent --config /opt/c.toml serve\n"},
		"unit of no file":    {daemon.Unit, "/opt/agent", []string{"serve"}, "\nExecStart=/opt/agent serve\n"},
		"unit of a package":  {daemon.Unit, "/usr/bin/wasmagent", []string{"--config", "/etc/wasmagent/config.toml", "serve"}, daemon.Unit},
		"script for OpenRC":  {daemon.OpenRC, "/opt/agent", []string{"serve"}, "\ncommand=\"/opt/agent\"\n"},
		"its arguments":      {daemon.OpenRC, "/opt/agent", []string{"serve"}, "\ncommand_args=\"${command_args:-serve}\"\n"},
		"the unit's options": {daemon.Unit, "/opt/agent", nil, "\nNoNewPrivileges=yes\n"},
	} {
		got := daemon.Adapted(row.text, row.program, row.args...)
		if !strings.Contains(got, row.want) {
			t.Errorf("%s: no %q in\n%s", name, row.want, got)
		}
		if row.program == "/opt/agent" && strings.Contains(got, "/usr/bin/wasmagent") {
			t.Errorf("%s: still names the packaged program:\n%s", name, got)
		}
		// What writes it takes double braces for its own.
		if strings.Contains(got, "{{") {
			t.Errorf("%s: has double braces", name)
		}
	}
}

// TestStatusOfNone asks the service manager of this machine for what it does not know.
func TestStatusOfNone(t *testing.T) {
	t.Parallel()
	s, err := daemon.New("")
	if err != nil {
		t.Fatal(err)
	}
	if p := s.Platform(); p != "linux-systemd" && p != "linux-openrc" {
		needs.Missing(t, "this test takes systemd or OpenRC, and this is "+p)
	}
	if _, err := s.Running(); !errors.Is(err, service.ErrNotInstalled) {
		t.Errorf("error %v, want %v", err, service.ErrNotInstalled)
	}
}

// TestNewRefuses has names that would become several words, or an option.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, config := range []string{"/etc/a b.toml", "/etc/a\nUser=root", "/etc/$HOME.toml", "/etc/%h.toml", `/etc/"a".toml`, "/etc/{{Path}}"} {
		if _, err := daemon.New(config); err == nil || !strings.Contains(err.Error(), "cannot stand in the files of service managers") {
			t.Errorf("%q: %v", config, err)
		}
	}
	if _, err := daemon.New("/etc/wasmagent/config.toml"); err != nil {
		t.Error(err)
	}
}
