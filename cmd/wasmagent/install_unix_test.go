//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/fetch"
	"github.com/wasmagent/wasmagent/zipmod"
)

// agentIn makes a command of the agent in a directory, which is also its home.
func agentIn(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "wasmagent", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, ".cache"))
	return cmd
}

// must runs a command of the agent that must succeed, and returns what it says.
func must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := agentIn(t.Context(), dir, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("wasmagent %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// packed writes web.zip into a directory: a module that answers with a text, and
// a file that cannot be compressed.
func packed(t *testing.T, dir, text string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), "web")
	module(t, source, `{"name": "web", "scripts": ["a.wasm"]}`, answering(text, 0))
	zip, err := zipmod.Pack(source, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "web.zip"), string(zip))
}

// TestUpgradeIsKilled kills upgrades while they put a module in place. What is
// there is the old version or the new one, whole.
func TestUpgradeIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.toml"), "# mine\n")
	packed(t, dir, "version 0")
	must(t, dir, "install", "--yes", "web.zip")
	for i := 1; i <= 10; i++ {
		before, after := must(t, dir, "run", "web", "a"), fmt.Sprintf("version %d\n", i)
		packed(t, dir, strings.TrimSpace(after))
		killed := agentIn(t.Context(), dir, "upgrade", "--yes")
		stdout, err := killed.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := killed.Start(); err != nil {
			t.Fatal(err)
		}
		// It says what it is about to put in place.
		if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Fatalf("it says %q, %v", line, err)
		}
		_ = killed.Process.Kill()
		_ = killed.Wait()
		if got := must(t, dir, "run", "web", "a"); got != before && got != after {
			t.Errorf("after a kill it is %q, and was %q", got, before)
		}
		must(t, dir, "config", "check")
	}
	packed(t, dir, "at last")
	must(t, dir, "upgrade", "--yes")
	if got := must(t, dir, "run", "web", "a"); got != "at last\n" {
		t.Errorf("at last it is %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "modules", "installed", "web-*")); len(left) != 1 {
		t.Errorf("it leaves %q", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".wasmagent-*")); len(left) > 0 {
		t.Errorf("it leaves %q", left)
	}
}

// TestInstallIsInterrupted interrupts a transfer from a server that never ends.
func TestInstallIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"interrupt", "timeout"} {
		asked := make(chan struct{}, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			fmt.Fprint(w, "some")
			w.(http.Flusher).Flush()
			asked <- struct{}{}
			<-req.Context().Done()
		}))
		t.Cleanup(server.Close)
		dir := t.TempDir()
		write(t, filepath.Join(dir, "config.toml"), "# mine\n")
		args := []string{"install", "--yes", server.URL + "/web.zip"}
		want := "wasmagent: stopped before it was done"
		if way == "timeout" {
			args, want = append(args, "--timeout", "300ms"), "/web.zip: it took longer than 300ms; raise --timeout"
		}
		cmd := agentIn(t.Context(), dir, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-asked
		if way == "interrupt" {
			_ = cmd.Process.Signal(syscall.SIGINT)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: it ends with %v and says %q", way, err, stderr.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "modules")); err == nil {
			t.Errorf("%s: it leaves something", way)
		}
	}
}

// TestServeTakesInstalled installs, upgrades and removes a module of an agent
// that runs.
func TestServeTakesInstalled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.toml"), "# mine\n")
	s := serve(t, dir)
	s.await(t, "msg=ready")
	packed(t, dir, "one")
	must(t, dir, "install", "--yes", "web.zip")
	s.signal(t, syscall.SIGHUP)
	s.await(t, `msg="module is loaded" module=web`)
	s.await(t, "msg=reloaded")
	packed(t, dir, "two")
	must(t, dir, "upgrade", "--yes")
	s.signal(t, syscall.SIGHUP)
	s.await(t, `msg="module is replaced" module=web`)
	s.await(t, "msg=reloaded")
	must(t, dir, "remove", "--yes", "web")
	s.signal(t, syscall.SIGHUP)
	s.await(t, `msg="module is unloaded" module=web`)
	s.await(t, "msg=reloaded")
}

// TestShelfAfterKill takes the shelf as a process leaves it that is killed
// between writing a version and writing config.toml.
func TestShelfAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.toml"), "# mine\n")
	packed(t, dir, "one")
	must(t, dir, "install", "--yes", "web.zip")
	c, err := config.Load(filepath.Join(dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	shelf := newShelf(c)
	for _, name := range []string{"web-1/web.zip", "web-2/web.zip", "other-3/half", "web-4"} {
		name = filepath.Join(shelf.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(name) != shelf.dir {
			write(t, name, "half")
		}
	}
	if got := must(t, dir, "run", "web", "a"); got != "one\n" {
		t.Errorf("it is %q", got)
	}
	wanted := errors.New("no")
	err = shelf.put("web", fetch.Parcel{Archive: []byte("bytes")}, func(file string) ([]config.Change, error) {
		if left, _ := filepath.Glob(filepath.Join(shelf.dir, "*-*", "*")); len(left) != 2 {
			t.Errorf("there are %q", left)
		}
		return nil, wanted
	})
	if !errors.Is(err, wanted) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(shelf.dir, "*-*")); len(left) != 1 {
		t.Errorf("it leaves %q", left)
	}
	if got := must(t, dir, "run", "web", "a"); got != "one\n" {
		t.Errorf("then it is %q", got)
	}
}
