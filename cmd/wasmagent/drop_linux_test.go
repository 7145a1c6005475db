package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// needRoot skips a test that only root can run.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		needs.Missing(t, "this test takes root")
	}
}

// nobody is a user that every system has.
func nobody(t *testing.T) (uid, gid int) {
	t.Helper()
	user, err := osuser.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, uidErr := strconv.Atoi(user.Uid)
	gid, gidErr := strconv.Atoi(user.Gid)
	if uidErr != nil || gidErr != nil {
		t.Fatalf("nobody is %+v", user)
	}
	return uid, gid
}

// public makes a directory that everybody can pass through, with the agent in it.
func public(t *testing.T) (dir, agent string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "drop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	agent = filepath.Join(dir, "wasmagent")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(agent, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, agent
}

// tell writes a configuration that everybody can read.
func tell(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// dropping is a configuration of an agent that becomes nobody.
const dropping = `user = "nobody"
[directories]
data = "var/data"
cache = "var/cache"
scratch = "var/scratch"
[audit]
path = "var/log/audit.log"
[log]
level = "debug"
[modules]
m = { path = "m", allow = ["/exec/sh"] }
`

// TestServeGivesUpRoot starts an agent as root. It and what it starts are another
// user, with all that they have.
func TestServeGivesUpRoot(t *testing.T) {
	t.Parallel()
	needRoot(t)
	uid, gid := nobody(t)
	dir, agent := public(t)
	tell(t, dir, dropping)
	if err := os.MkdirAll(filepath.Join(dir, "m"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"module.json": `{"name": "m", "scripts": ["a.sh"], "on_start": ["a"]}`,
		"a.sh":        `echo "OK: child" $(grep -E '^(Uid|Gid|Groups|CapPrm|NoNewPrivs):' /proc/self/status)`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "m", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := serveWith(t, exec.CommandContext(t.Context(), agent, "serve"), dir)
	ids := fmt.Sprintf(`Uid: %[1]d %[1]d %[1]d %[1]d Gid: %[2]d %[2]d %[2]d %[2]d Groups: %[2]d CapPrm: 0000000000000000 NoNewPrivs: 1`, uid, gid)
	s.await(t, "OK: child "+ids)
	if got := strings.Join(threads(t, s.cmd.Process.Pid), "\n"); got != ids {
		t.Errorf("the threads of the agent have\n%s\nwant\n%s", got, ids)
	}
	for _, name := range []string{"data", "cache", "scratch", "log"} {
		info, err := os.Stat(filepath.Join(dir, "var", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if stat := info.Sys().(*syscall.Stat_t); int(stat.Uid) != uid || int(stat.Gid) != gid || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s belongs to %d:%d with mode %v", name, stat.Uid, stat.Gid, info.Mode())
		}
	}
	s.signal(t, syscall.SIGHUP) // it is still read
	s.await(t, "msg=reloaded")
	s.signal(t, syscall.SIGTERM)
	s.await(t, "msg=stopped")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
}

// TestServeWithoutWriting has the agent be told to change what is root's, as it is where
// it was installed from a package.
func TestServeWithoutWriting(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir, agent := public(t)
	text := strings.Replace(dropping, "var/data", "data", 1) + "[rest]\nlisten = [\"127.0.0.1:0\"]\n"
	text = strings.Replace(text, "m = { path = \"m\", allow = [\"/exec/sh\"] }", "CheckHelpers = true", 1)
	tell(t, dir, text)
	c := serveWith(t, exec.CommandContext(t.Context(), agent, "serve"), dir).ready(t)
	c.wantRest(t, "GET", modules+"CheckSystem/commands/load", nil, 200)
	for what, body := range map[string][]byte{
		"CheckHelpers/commands/disable": nil,
		"CheckSystem/commands/enable":   nil,
		"m":                             zipped(t, versioned(1), answering("x", 0)),
	} {
		method := map[bool]string{true: "POST", false: "GET"}[body != nil]
		c.wantRest(t, method, modules+what, body, 409, "permission denied", "docs/service.md")
	}
	c.wantRest(t, "GET", modules+"CheckHelpers", nil, 200, `"loaded":true`, `"enabled":true`)
	c.wantRest(t, "GET", modules+"CheckSystem", nil, 200, `"loaded":true`, `"enabled":false`)
	if after, err := os.ReadFile(filepath.Join(dir, "config.toml")); err != nil || string(after) != text {
		t.Errorf("config.toml says\n%s, %v", after, err)
	}
}

// threads lists what the threads of a process may do, each way of that once.
func threads(t *testing.T, pid int) (list []string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatal("no threads: ", err)
	}
	rights := regexp.MustCompile(`(?m)^(Uid|Gid|Groups|CapPrm|NoNewPrivs):.*$`)
	seen := map[string]bool{}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // a thread that has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Join(strings.Fields(strings.Join(rights.FindAllString(string(status), -1), " ")), " ")
		if !seen[line] {
			seen[line] = true
			list = append(list, line)
		}
	}
	return list
}

// TestServeRefusesToGiveUpRoot has configurations with which an agent that root has
// started ends before it has done anything.
func TestServeRefusesToGiveUpRoot(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for name, row := range map[string]struct {
		config string
		make   func(dir string) error
		want   string
	}{
		"no such user":     {`user = "there-is-none"`, nil, "useradd --system --user-group --home-dir /var/lib/there-is-none"},
		"a user of native": {"user = \"nobody\"\nnative.user = \"daemon\"", nil, `native.user: only an agent that runs as root can start processes as another user; set user = "root"`},
		"a link of others": {dropping, func(dir string) error {
			link := filepath.Join(dir, "var")
			if err := os.Symlink("/etc", link); err != nil {
				return err
			}
			return os.Lchown(link, 2, 2)
		}, "is no directory of root's"},
		"a link as directory": {dropping, func(dir string) error {
			if err := os.Mkdir(filepath.Join(dir, "var"), 0o755); err != nil {
				return err
			}
			return os.Symlink("/etc", filepath.Join(dir, "var", "data"))
		}, "var/data: is no directory"},
		"another's directory": {dropping, func(dir string) error {
			if err := os.MkdirAll(filepath.Join(dir, "var", "cache"), 0o755); err != nil {
				return err
			}
			return os.Chown(filepath.Join(dir, "var", "cache"), 2, 2)
		}, "belongs to user 2"},
		"another's above": {dropping, func(dir string) error {
			if err := os.Mkdir(filepath.Join(dir, "var"), 0o755); err != nil {
				return err
			}
			return os.Chown(filepath.Join(dir, "var"), 2, 2)
		}, "above it, belongs to user 2"},
		"open to all": {dropping, func(dir string) error {
			if err := os.Mkdir(filepath.Join(dir, "var"), 0o755); err != nil {
				return err
			}
			return os.Chmod(filepath.Join(dir, "var"), 0o777)
		}, "others can write to"},
		"a system's directory": {dropping, func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, "var", "data", "something"), 0o755)
		}, "belongs to root and is not empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, agent := public(t)
			tell(t, dir, row.config)
			if row.make != nil {
				if err := row.make(dir); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), agent, "serve")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), row.want) {
				t.Errorf("%v, and said\n%s\nwant %q", err, out, row.want)
			}
		})
	}
}
