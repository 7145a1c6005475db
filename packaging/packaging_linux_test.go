package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
)

// here is the target that can be installed in tests.
var here = target{"linux", goruntime.GOARCH}.String()

// Builds of two versions, for all tests.
var builds = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "packaging-test"); err != nil {
		return "", err
	}
	for _, version := range []string{"1.0.0", "1.0.1"} {
		if err := run(background, []string{"--version", version, "--out", filepath.Join(dir, version), "--only", here}, io.Discard); err != nil {
			return dir, err
		}
	}
	return dir, nil
})

// built is a directory with the builds.
func built(t *testing.T) string {
	t.Helper()
	dir, err := builds()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// one is the only file that a pattern matches, as its name on the machine.
func one(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(built(t), pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s matches %q", pattern, found)
	}
	return found[0]
}

func inMachine(t *testing.T, pattern string) string {
	t.Helper()
	name, err := filepath.Rel(built(t), one(t, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return "/opt/packages/" + name
}

func TestDeb(t *testing.T) {
	needTools(t, "dpkg", "wat2wasm", checkNRPE)
	m := boot(t, withCheck(t))
	m.run(t, "dpkg --install "+inMachine(t, "1.0.0/*.deb"))
	serves(t, m, "1.0.0")
	m.run(t, "systemctl is-enabled wasmagent; test $(stat -c %U:%G:%a /etc/wasmagent/config.toml) = root:wasmagent:640")
	isConfined(t, m)
	reloads(t, m)
	outlivesStall(t, m)

	m.run(t, "sed -i '/^module = /d' /etc/wasmagent/config.toml; echo '# mine' >>/etc/wasmagent/config.toml; touch /var/lib/wasmagent/mine")
	m.run(t, "dpkg --install "+inMachine(t, "1.0.1/*.deb"))
	serves(t, m, "1.0.1")
	m.run(t, "grep -q '^# mine' /etc/wasmagent/config.toml; test -e /var/lib/wasmagent/mine")

	m.run(t, "dpkg --remove wasmagent; test -e /etc/wasmagent/config.toml; test -e /var/lib/wasmagent/mine")
	m.isGone(t)
	m.run(t, "dpkg --purge wasmagent")
	m.run(t, "for name in etc var/lib var/cache var/log; do test ! -e /$name/wasmagent || exit 1; done")
}

func TestRPM(t *testing.T) {
	needTools(t, "rpm", "wat2wasm", checkNRPE)
	m := boot(t, withCheck(t))
	const install = "rpm --nodeps " // the machine has no packages of rpm that could be required
	m.run(t, install+"--install "+inMachine(t, "1.0.0/*.rpm"))
	m.run(t, "test $(stat -c %U:%G:%a /etc/wasmagent/config.toml) = root:wasmagent:640; systemctl start wasmagent")
	serves(t, m, "1.0.0")
	isConfined(t, m)

	m.run(t, "sed -i '/^module = /d' /etc/wasmagent/config.toml; echo '# mine' >>/etc/wasmagent/config.toml; touch /var/lib/wasmagent/mine")
	m.run(t, install+"--upgrade "+inMachine(t, "1.0.1/*.rpm"))
	serves(t, m, "1.0.1")
	m.run(t, "grep -q '^# mine' /etc/wasmagent/config.toml; test -e /var/lib/wasmagent/mine")

	m.run(t, "rpm --erase wasmagent; test -e /var/lib/wasmagent/mine; test -e /etc/wasmagent/config.toml.rpmsave")
	m.isGone(t)
}

// TestServiceInstall is the service without a package.
func TestServiceInstall(t *testing.T) {
	needTools(t, checkNRPE)
	m := boot(t, built(t))
	m.run(t, "tar -C /tmp -xf "+inMachine(t, "1.0.0/*_linux_*.tar.gz")+"; cp /tmp/wasmagent_*/wasmagent /usr/local/bin; mkdir /etc/wasmagent; cp /tmp/wasmagent_*/config.toml /etc/wasmagent")
	m.fails(t, "wasmagent service status", 3)
	m.fails(t, "wasmagent service start", 3)
	m.wants(t, "wasmagent service install", "to start it: wasmagent service start")
	m.wants(t, "systemctl cat wasmagent", "ExecStart=/usr/local/bin/wasmagent --config /etc/wasmagent/config.toml serve", "NoNewPrivileges=yes")
	if out := m.fails(t, "wasmagent service install", 3); !strings.Contains(out, "installed already") {
		t.Errorf("a second installation said %q", out)
	}
	if out := m.fails(t, "wasmagent service status", 2); out != "stopped\n" {
		t.Errorf("the status is %q", out)
	}
	m.wants(t, "wasmagent service start", "started")
	m.wants(t, "wasmagent service status", "running")
	serves(t, m, "1.0.0")
	isConfined(t, m)
	m.run(t, "wasmagent service stop")
	m.fails(t, "wasmagent service status", 2)
	m.run(t, "wasmagent service start; wasmagent service uninstall; test -e /etc/wasmagent/config.toml; test ! -e /etc/systemd/system/wasmagent.service")
	m.isGone(t)
	m.fails(t, "wasmagent service status", 3)
}

// withCheck are the builds with a module of two checks.
func withCheck(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(built(t))); err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(dir, "module")
	if err := os.Mkdir(module, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "wat2wasm", "testdata/check.wat", "--output", filepath.Join(module, "check.wasm")).CombinedOutput(); err != nil {
		t.Fatalf("wat2wasm: %v\n%s", err, out)
	}
	for name, text := range map[string]string{
		"module.json": `{"name": "Module", "scripts": ["check.wasm", "native.sh"], "on_start": ["check", "native"], "permissions": ["/host/os"]}`,
		"native.sh":   `echo "OK: native" $(grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status)`,
	} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// checkNRPE is Nagios' plugin.
const checkNRPE = "/usr/lib/nagios/plugins/check_nrpe"

// show is how the service stands.
const show = "systemctl show --property ActiveState --property StatusText wasmagent"

// serves wants the service to be up in a version.
func serves(t *testing.T, m *machine, version string) {
	t.Helper()
	m.wants(t, "/proc/$(systemctl show --property MainPID --value wasmagent)/exe version", "wasmagent "+version)
	m.wants(t, show, "ActiveState=active", "StatusText=2 modules")
	m.wants(t, checkNRPE+" -H 127.0.0.1 -c check_ok", "OK")
}

// isConfined wants the service to be what its unit says.
func isConfined(t *testing.T, m *machine) {
	t.Helper()
	out := m.run(t, "cat /proc/$(systemctl show --property MainPID --value wasmagent)/status; id -u wasmagent")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	uid := lines[len(lines)-1]
	fields := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"Uid: " + strings.Join([]string{uid, uid, uid, uid}, " "), "CapPrm: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2"} {
		if uid == "0" || !strings.Contains(fields, want) {
			t.Errorf("the process has no %q:\n%s", want, out)
		}
	}
	for dir := range strings.FieldsSeq("lib cache log") {
		m.run(t, "test $(stat -c %U:%a /var/"+dir+"/wasmagent) = wasmagent:700")
	}
	m.wants(t, "systemd-analyze security --no-pager wasmagent", "OK")
	m.run(t, "systemd-analyze verify --man=no wasmagent.service")
}

// reloads gives the service a module while it runs. Its programs are compiled and its
// scripts confined within what the unit allows.
func reloads(t *testing.T, m *machine) {
	t.Helper()
	from := m.now(t)
	m.run(t, `cp -r /opt/packages/module /etc/wasmagent/modules/
sed -i '/^CheckSystem/a module = { allow = ["/exec/sh"] }' /etc/wasmagent/config.toml
systemctl reload wasmagent`)
	m.follow(t, from, `"module is loaded" module=module`, "msg=reloaded")
	m.run(t, "ls /var/cache/wasmagent/compiled/* >/dev/null")
	m.wants(t, show, "ActiveState=active", "StatusText=3 modules")
	log := m.run(t, "journalctl --no-pager --output cat --unit wasmagent")
	if strings.Contains(log, "degraded") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the service logged\n%s", log)
	}
}

// outlivesStall stops the process, whose signs of life end by that: systemd starts
// another one.
func outlivesStall(t *testing.T, m *machine) {
	t.Helper()
	m.run(t, `mkdir -p /run/systemd/system/wasmagent.service.d
printf '[Service]\nWatchdogSec=1s\nRestartSec=0\nTimeoutAbortSec=1s\n' >/run/systemd/system/wasmagent.service.d/test.conf
systemctl daemon-reload; systemctl restart wasmagent`)
	from := m.now(t)
	m.run(t, "systemctl kill --kill-whom=main --signal=STOP wasmagent")
	m.follow(t, from, "Watchdog timeout", "Scheduled restart job", "msg=ready")
	m.run(t, "rm -r /run/systemd/system/wasmagent.service.d; systemctl daemon-reload")
}

// isGone wants nothing to run, and the service not to be one any more.
func (m *machine) isGone(t *testing.T) {
	t.Helper()
	m.fails(t, "pgrep -x wasmagent", 1)
	m.wants(t, "systemctl show --property LoadState --property ActiveState wasmagent; ls /etc/systemd/system/multi-user.target.wants", "LoadState=not-found", "ActiveState=inactive")
	if links := m.run(t, "ls /etc/systemd/system/multi-user.target.wants"); strings.Contains(links, "wasmagent") {
		t.Errorf("it is still started with the system:\n%s", links)
	}
}

// TestSameBytes builds once more in another directory.
func TestSameBytes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "again")
	if err := run(t.Context(), []string{"--version", "1.0.0", "--out", dir, "--only", here}, io.Discard); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(dir, sums))
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(built(t), "1.0.0", sums))
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the first build is\n%s\nand the second\n%s%v", first, again, err)
	}
	command := exec.CommandContext(t.Context(), "sha256sum", "--check", "--quiet", sums)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v\n%s", err, out)
	}
}

// removeBuilds removes the builds.
func removeBuilds() {
	if dir, _ := builds(); dir != "" {
		_ = os.RemoveAll(dir)
	}
}
