package facts

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// As systemctl show prints it: the properties of a unit in an order of its
// own, empty lines between units, and whatever a unit's author wrote.
const units = `MainPID=812
Id=ssh.service
Description=OpenBSD Secure Shell server
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled

MainPID=0
Id=apparmor.service
Description=Load AppArmor profiles = all
LoadState=loaded
ActiveState=active
SubState=exited
UnitFileState=enabled-runtime

MainPID=0
Id=nginx.service
Description=
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=disabled

MainPID=0
Id=syslog.service
Description=syslog.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=

MainPID=0
Id=masked.service
Description=masked.service
LoadState=masked
ActiveState=inactive
SubState=dead
UnitFileState=masked

MainPID=99
Id=slow.service
Description=Slow
LoadState=loaded
ActiveState=activating
SubState=start-pre
UnitFileState=static
`

const jobs = "PID\tStatus\tLabel\n" +
	"-\t0\tcom.apple.SafariHistoryServiceAgent\n" +
	"321\t0\tcom.apple.Finder\n" +
	"-\t-9\tcom.example.killed\n" +
	"-\t78\tcom.example.a label\n" +
	"garbage\n"

const scripts = "/etc/rc.d/hostid\n/etc/rc.d/sshd\n/usr/local/etc/rc.d/nginx\n\n"

func TestParseServices(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		got  []Service
		want string // a JSON object a line
	}{
		{"systemd", parseUnits(units), `
{"name":"ssh.service","description":"OpenBSD Secure Shell server","state":"running","start":"automatic","detail":"active (running)","pid":812}
{"name":"apparmor.service","description":"Load AppArmor profiles = all","state":"exited","start":"automatic","detail":"active (exited)"}
{"name":"nginx.service","state":"failed","start":"manual","detail":"failed (failed)"}
{"name":"masked.service","description":"masked.service","state":"stopped","start":"disabled","detail":"inactive (dead)"}
{"name":"slow.service","description":"Slow","state":"starting","start":"manual","detail":"activating (start-pre)","pid":99}`},
		{"systemd without units", parseUnits(""), ""},
		{"launchd", parseLaunchctl(jobs), `
{"name":"com.apple.SafariHistoryServiceAgent","state":"stopped","detail":"last exit status 0"}
{"name":"com.apple.Finder","state":"running","detail":"last exit status 0","pid":321}
{"name":"com.example.killed","state":"failed","detail":"last exit status -9"}
{"name":"com.example.a label","state":"failed","detail":"last exit status 78"}`},
		{"rc", parseScripts(scripts), `
{"name":"hostid","start":"automatic","detail":"/etc/rc.d/hostid"}
{"name":"sshd","start":"automatic","detail":"/etc/rc.d/sshd"}
{"name":"nginx","start":"automatic","detail":"/usr/local/etc/rc.d/nginx"}`},
	} {
		var lines []string
		for _, s := range test.got {
			line, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
		if got := strings.Join(lines, "\n"); got != strings.TrimSpace(test.want) {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, strings.TrimSpace(test.want))
		}
	}
}

func TestUnitState(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		active, sub string
		want        ServiceState
	}{
		{"active", "running", ServiceRunning},
		{"active", "exited", ServiceExited},
		{"reloading", "reload", ServiceStarting},
		{"deactivating", "stop-sigterm", ServiceStopping},
		{"inactive", "dead", ServiceStopped},
		{"of a later version", "", ""},
	} {
		if got := unitState(test.active, test.sub); got != test.want {
			t.Errorf("%s (%s) is %q, want %q", test.active, test.sub, got, test.want)
		}
	}
}

func TestProcessState(t *testing.T) {
	t.Parallel()
	for letters, want := range map[string]ProcessState{
		"R": ProcessRunning, "S": ProcessSleeping, "DU": ProcessBlocked, "I": ProcessIdle,
		"Tt": ProcessStopped, "Z": ProcessZombie, "XWP?": ProcessOther,
	} {
		for _, letter := range []byte(letters) {
			if got := newProcessState(letter); got != want {
				t.Errorf("%c is %q, want %q", letter, got, want)
			}
		}
	}
}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	for machine, want := range map[string]string{
		"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386", "riscv64": "riscv64", "": "",
	} {
		if got := architecture(machine); got != want {
			t.Errorf("architecture(%q) = %q, want %q", machine, got, want)
		}
	}
}

// The tests' own binary is the tool: there is one on every system.
func TestOutput(t *testing.T) {
	t.Parallel()
	text, err := output(t.Context(), testBinary(t), "-test.list", "^TestOutput$")
	if err != nil || !strings.HasPrefix(text, "TestOutput\n") {
		t.Errorf("%q, %v", text, err)
	}
	_, err = output(t.Context(), testBinary(t), "-no-such-flag")
	if err == nil || !strings.Contains(err.Error(), "exit status 2") || !strings.Contains(err.Error(), "flag provided but not defined") {
		t.Errorf("error %v; want the status and what the tool says", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = output(ctx, testBinary(t), "-test.list", "."); err == nil {
		t.Error("no error although the context has ended")
	}
}

func TestOutputIsLimited(t *testing.T) {
	t.Parallel()
	var c capped
	if _, err := c.Write(make([]byte, outputLimit)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("x")); err == nil || c.text.Len() != outputLimit {
		t.Errorf("error %v, %d bytes kept; want an error and no more than %d", err, c.text.Len(), outputLimit)
	}
}

func testBinary(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}
