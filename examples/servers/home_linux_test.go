package servers_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// patience is how long a server may take to do what is waited for.
const patience = 2 * time.Minute

// A home is a directory for a program, which runs as the user nagios if root runs the
// test: servers refuse to be root.
type home struct {
	dir        string
	credential *syscall.Credential
}

func newHome(t *testing.T) home {
	t.Helper()
	dir, err := os.MkdirTemp("", "servers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	h := home{dir: dir}
	if os.Geteuid() == 0 {
		h.credential = nagios(t)
	}
	h.own(t, dir)
	return h
}

// nagios is the user that the packages of both servers bring.
func nagios(t *testing.T) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("nagios")
	if err != nil {
		needs.Missing(t, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid)}}
}

// own gives a file to the user of the home.
func (h home) own(t *testing.T, name string) {
	t.Helper()
	if h.credential == nil {
		return
	}
	if err := os.Chown(name, int(h.credential.Uid), int(h.credential.Gid)); err != nil {
		t.Fatal(err)
	}
}

// directory makes one in the home.
func (h home) directory(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	h.own(t, path)
	return path
}

// write writes a file in the home.
func (h home) write(t *testing.T, name, text string) string {
	t.Helper()
	h.directory(t, filepath.Dir(name))
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	h.own(t, path)
	return path
}

// copy copies a directory of the machine into the home.
func (h home) copy(t *testing.T, from, name string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		info, statErr := os.Stat(path) // links as what they lead to
		if err != nil || statErr != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			h.write(t, filepath.Join(name, strings.TrimPrefix(path, from)), string(text))
		}
		return err
	})
	if err != nil {
		needs.Missing(t, err)
	}
}

// build builds the agent of this source.
func (h home) build(t *testing.T, binary string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/wasmagent")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Chmod(binary, 0o755); err != nil {
		t.Fatal(err)
	}
}

// command is a program that runs at home.
func (h home) command(ctx context.Context, argv ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir = h.dir
	c.Env = []string{"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: h.credential, Setpgid: true}
	return c
}

// run runs a program to its end and returns its standard output.
func (h home) run(t *testing.T, input string, argv ...string) string {
	t.Helper()
	c := h.command(t.Context(), argv...)
	c.Stdin = strings.NewReader(input)
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(argv, " "), err, out.String(), problems.String())
	}
	return out.String()
}

// answer runs a plugin and returns its exit status and what it prints.
func (h home) answer(t *testing.T, argv ...string) (status int, text string) {
	t.Helper()
	c := h.command(t.Context(), argv...)
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), strings.TrimSpace(string(out))
}

// A server is a program that stays up until the test ends.
type server struct {
	log   string        // the file of what it prints
	ended chan struct{} // closed when it has
}

// start starts a server. It ends with the test, with all that it has started.
func (h home) start(t *testing.T, name string, argv ...string) server {
	t.Helper()
	out, err := os.Create(filepath.Join(h.dir, name+".out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := h.command(context.Background(), argv...)
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := server{out.Name(), make(chan struct{})}
	go func() {
		_ = c.Wait() // how it ends does not matter
		close(s.ended)
	}()
	t.Cleanup(func() {
		if t.Failed() {
			text := s.read()
			t.Logf("%s: %s", name, text[max(0, len(text)-4096):])
		}
		_ = c.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s does not end", name)
		}
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // what it may have left
		<-s.ended
	})
	return s
}

func (s server) read() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// wait waits until the server has printed a text, and returns all that it has.
func (s server) wait(t *testing.T, text string) string {
	t.Helper()
	until(t, s, func() (string, bool) { return "it has not said " + text, strings.Contains(s.read(), text) })
	return s.read()
}

// until asks again and again whether something is so, while the server is up.
func until(t *testing.T, s server, is func() (not string, ok bool)) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		not, ok := is()
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-s.ended:
			t.Fatalf("it has ended: %s", s.read())
		case <-ctx.Done():
			t.Fatalf("after %v: %s", patience, not)
		}
	}
}
