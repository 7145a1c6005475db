package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A machine is a system of its own with the software of this one, on which systemd
// runs.
type machine struct {
	pid string // of its process 1, here
}

// boot starts a machine that sees a directory at /opt/packages. It takes root.
func boot(t *testing.T, packages string) *machine {
	t.Helper()
	needTools(t, "unshare", "nsenter", "pivot_root", "systemctl", "journalctl")
	dir := t.TempDir()
	for _, name := range []string{"overlay", "notify", "packages"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "packages"), os.DirFS(packages)); err != nil {
		t.Fatal(err)
	}
	up, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify", "socket"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	script, err := filepath.Abs(filepath.Join("testdata", "boot.sh"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net", "--cgroup", "sh", script, dir)
	log := new(bytes.Buffer)
	command.Stdout, command.Stderr = log, log
	group := cgroup(t)
	command.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd()), Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if init, err := child(command.Process.Pid); err == nil {
			_ = syscall.Kill(init, syscall.SIGKILL) // and so all on the machine
		}
		_ = command.Wait()
	})
	awaitReady(t, up, log)
	init, err := child(command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return &machine{pid: strconv.Itoa(init)}
}

// child is the only child of a process.
func child(pid int) (int, error) {
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(list)))
}

// awaitReady waits until a machine says that it is up.
func awaitReady(t *testing.T, up *net.UnixConn, log fmt.Stringer) {
	t.Helper()
	if err := up.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for message := make([]byte, 4096); ; {
		n, err := up.Read(message)
		if err != nil {
			t.Fatalf("the machine does not boot: %v\n%s", err, log)
		}
		if strings.Contains("\n"+string(message[:n])+"\n", "\nREADY=1\n") {
			return
		}
	}
}

// cgroup makes a group of processes, which is removed with all that are in it.
func cgroup(t *testing.T) *os.File {
	t.Helper()
	for _, top := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(top, "cgroup.procs")); err != nil {
			continue
		}
		dir, err := os.MkdirTemp(top, "wasmagent-packaging-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { removeGroup(t, dir) })
		f, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	t.Fatal("there are no control groups of version 2")
	return nil
}

// removeGroup removes a group with those below, innermost first.
func removeGroup(t *testing.T, dir string) {
	t.Helper()
	var groups []string
	if err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			groups = append(groups, name)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	for i := range groups {
		if err := os.Remove(groups[len(groups)-1-i]); err != nil {
			t.Error(err)
		}
	}
}

// command is a shell's command on the machine.
func (m *machine) command(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), "nsenter", "--all", "--target", m.pid, "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"DEBIAN_FRONTEND=noninteractive", "SYSTEMD_PAGER=", "sh", "-euc", script)
}

// run runs a shell's command on the machine and returns what it prints.
func (m *machine) run(t *testing.T, script string) string {
	t.Helper()
	out, err := m.command(t, script).CombinedOutput()
	if err != nil {
		journal, _ := m.command(t, "journalctl --no-pager --boot --unit wasmagent --lines 50").CombinedOutput()
		t.Fatalf("%s: %v\n%s\nthe journal has\n%s", script, err, out, journal)
	}
	return string(out)
}

// fails runs a command on the machine that has to end with a status.
func (m *machine) fails(t *testing.T, script string, status int) string {
	t.Helper()
	out, err := m.command(t, script).CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != status {
		t.Errorf("%s: %v, want status %d\n%s", script, err, status, out)
	}
	return string(out)
}

// wants runs a command on the machine that has to print a text.
func (m *machine) wants(t *testing.T, script string, texts ...string) {
	t.Helper()
	out := m.run(t, script)
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("%s printed\n%s\nwant %q", script, out, text)
		}
	}
}

// follow reads what the service logs from its present start on, up to lines with
// these texts, in their order.
func (m *machine) follow(t *testing.T, cursor string, texts ...string) {
	t.Helper()
	command := m.command(t, "exec journalctl --follow --no-tail --output cat --unit wasmagent --after-cursor '"+cursor+"'")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Wait()
	defer command.Process.Kill()
	timer := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	var all []string
	for lines := bufio.NewScanner(out); len(texts) > 0; {
		if !lines.Scan() {
			t.Fatalf("no line with %q in the journal:\n%s", texts[0], strings.Join(all, "\n"))
		}
		all = append(all, lines.Text())
		if strings.Contains(lines.Text(), texts[0]) {
			texts = texts[1:]
		}
	}
}

// now is where the journal is.
func (m *machine) now(t *testing.T) string {
	t.Helper()
	_, cursor, found := strings.Cut(m.run(t, "journalctl --sync; journalctl --no-pager --lines 1 --show-cursor"), "-- cursor: ")
	if !found {
		t.Fatal("the journal has no cursor")
	}
	return strings.TrimSpace(cursor)
}

// needTools skips a test that takes root and programs of the system.
func needTools(t *testing.T, names ...string) {
	t.Helper()
	missing := "root"
	if os.Geteuid() == 0 {
		missing = ""
	}
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = name
		}
	}
	switch {
	case missing == "":
	case os.Getenv("WASMAGENT_REQUIRE") == "1":
		t.Fatalf("this test takes %s", missing)
	default:
		t.Skipf("this test takes %s", missing)
	}
}
