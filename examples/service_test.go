package examples_test

import (
	"testing"

	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
)

const (
	systemd = `{"manager": "systemd", "services": [
	{"name": "cron.service", "state": "running", "start": "automatic"}, {"name": "fsck.service", "state": "exited", "start": "automatic"},
	{"name": "nginx.service", "state": "failed", "start": "automatic"}, {"name": "Ssh.service", "state": "starting", "start": "manual"},
	{"name": "x.service", "state": "stopped", "start": "disabled"}, {"name": "user@0.service", "state": "stopping", "start": "automatic"}]}`
	windows = `{"manager": "windows", "services": [{"name": "Spooler", "state": "running", "start": "automatic"},
	{"name": "Fax", "state": "paused", "start": "manual"}, {"name": "W32Time", "state": "stopped"}]}`
	rc = `{"manager": "rc", "services": [{"name": "sshd", "start": "automatic"}]}`
)

// TestService asks check_service, which is in Rust, about machines.
func TestService(t *testing.T) {
	t.Parallel()
	for name, machine := range map[string]struct {
		document string
		lines    []line
	}{
		"systemd": {systemd, []line{
			{"check_service -s cron", 0, "SERVICE OK: cron.service is running|not_running=0", ""},
			{"check_service --service=cron.service", 0, "", ""},
			{"check_service -s fsck", 0, "fsck.service is exited", ""},
			{"check_service -s nginx", 2, "SERVICE CRITICAL: nginx.service is failed|not_running=1", ""},
			{"check_service -s Ssh", 1, "Ssh.service is starting", ""},
			{"check_service -s ssh", 2, "there is no service ssh", ""},
			{"check_service -s x", 2, "x.service is stopped", ""},
			{"check_service -s cron -s fsck", 0, "none of 2 services is down", ""},
			{"check_service -s cron -s nginx -s Ssh", 2, "nginx.service is failed, Ssh.service is starting|not_running=2", ""},
			{"check_service", 2, "nginx.service is failed, user@0.service is stopping|not_running=2", ""},
			{"check_service -x nginx", 1, "user@0.service is stopping", ""},
			{"check_service -x nginx -x user@0.service", 0, "none of 2 services is down", ""},
			{"check_service -s cron -x cron", 3, "no service is selected", ""},
			{"check_service cron", 3, `unexpected "cron"`, ""},
		}},
		"windows": {windows, []line{
			{"check_service -s spooler", 0, "Spooler is running", ""},
			{"check_service -s spooler.service", 2, "there is no service", ""},
			{"check_service -s FAX", 1, "Fax is paused", ""},
			{"check_service -s W32time", 2, "W32Time is stopped", ""},
			{"check_service", 0, "Spooler is running", ""},
		}},
		"rc":      {rc, []line{{"check_service", 3, "sshd is in a state that the system does not tell", ""}}},
		"nobody":  {`{"manager": "", "services": []}`, []line{{"check_service", 3, "there is no service manager here", ""}}},
		"nothing": {`{"manager": "systemd", "services": []}`, []line{{"check_service", 3, "no service is selected", ""}}},
		"broken":  {`{"manager`, []line{{"check_service", 3, "/host/services: no JSON: a string does not end", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := crafted(t, everything(t, newAuthority(t)), providers.Config{Facts: map[string]runtime.Document{"services": document([]byte(machine.document))}})
			suite(t, machine.lines, nil, p, asked, true)
		})
	}
}
