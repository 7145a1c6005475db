//go:build unix

package main

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A served is an agent that runs as a process of its own.
type served struct {
	cmd *exec.Cmd
	log *bufio.Scanner
	all []string // what it has logged
}

// serve starts an agent in a directory.
func serve(t *testing.T, dir string, flags ...string) *served {
	t.Helper()
	return serveWith(t, exec.CommandContext(t.Context(), "wasmagent", append(flags, "serve")...), dir)
}

// serveWith starts a command in a directory that is its home.
func serveWith(t *testing.T, cmd *exec.Cmd, dir string) *served {
	t.Helper()
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, ".cache"), "XDG_STATE_HOME="+filepath.Join(dir, ".state"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &served{cmd: cmd, log: bufio.NewScanner(stderr)}
}

// await reads the log until all these texts have come, in any order: not every line
// is logged by the same goroutine.
func (s *served) await(t *testing.T, texts ...string) {
	t.Helper()
	for len(texts) > 0 && s.log.Scan() {
		s.all = append(s.all, s.log.Text())
		texts = slices.DeleteFunc(texts, func(text string) bool { return strings.Contains(s.log.Text(), text) })
	}
	if len(texts) > 0 {
		t.Fatalf("no line with %q in the log:\n%s", texts, strings.Join(s.all, "\n"))
	}
}

func (s *served) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// module writes a module with one program.
func module(t *testing.T, dir, manifest string, program []byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "module.json"), manifest)
	write(t, filepath.Join(dir, "a.wasm"), string(program))
}

// write writes a file. A configuration lets the agent remain root if the test is.
func write(t *testing.T, name, text string) {
	t.Helper()
	if filepath.Base(name) == "config.toml" && os.Geteuid() == 0 {
		text = "user = \"root\"\n" + text
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const manifest = `{"name": "m", "scripts": ["a.wasm"], "permissions": ["/host/os"], "on_start": ["a", "nothing"]}`

func TestServe(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			module(t, filepath.Join(dir, "m"), manifest, answering("a", 0))
			write(t, filepath.Join(dir, "config.toml"), "[modules]\nm = { path = \"m\" }\ngone = true\n")
			s := serve(t, dir)
			s.await(t, `level=ERROR msg="module gone is not loaded: there is no gone.zip`)
			s.await(t, `level=WARN msg="module is restricted" module=m`)
			s.await(t, `level=WARN msg="module is degraded" module=m`)
			s.await(t, `msg=ready`)
			s.signal(t, signal)
			s.await(t, "msg=stopping")
			s.await(t, "msg=stopped")
			if err := s.cmd.Wait(); err != nil {
				t.Errorf("the agent ended with %v", err)
			}
		})
	}
}

func TestServeReloads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module(t, filepath.Join(dir, "m"), manifest, answering("a", 0))
	module(t, filepath.Join(dir, "n"), `{"name": "n", "scripts": [{"script": "a.wasm", "alias": "b"}]}`, answering("b", 0))
	text := "[modules]\nm = { path = \"m\" }\nn = { path = \"n\" }\nlate = { path = \"late\" }\nnever = true\nCheckHelpers = true\n[log]\nlevel = \"debug\"\n"
	write(t, filepath.Join(dir, "config.toml"), text)
	s := serve(t, dir)
	s.await(t, "level=DEBUG msg=ran number=1 command=a module=m origin=on_start state=OK text=a", "msg=ready")

	// All that is wrong is said, and nothing of what is right is done.
	module(t, filepath.Join(dir, "m"), manifest, answering("changed", 0))
	module(t, filepath.Join(dir, "n"), "{}", nil)
	module(t, filepath.Join(dir, "late"), `{"name": "late", "scripts": [{"script": "a.wasm", "alias": "c"}]}`, answering("c", 0))
	s.signal(t, syscall.SIGHUP)
	s.await(t, `level=ERROR msg="not reloaded, and all stays as it was" by=SIGHUP error="module n: `)
	s.await(t, `level=ERROR msg="not reloaded, and all stays as it was" by=SIGHUP error="module never: there is no never.zip`)

	module(t, filepath.Join(dir, "n"), `{"name": "n", "scripts": [{"script": "a.wasm", "alias": "b"}]}`, answering("b", 0))
	write(t, filepath.Join(dir, "config.toml"), strings.Replace(text, "never = true\n", "", 1))
	s.signal(t, syscall.SIGHUP)
	s.await(t, `msg="module is replaced" module=m`)
	s.await(t, `msg="module is loaded" module=late`)
	s.await(t, `level=WARN msg="module is degraded" module=m problem="on_start line 2 (nothing)`)
	s.await(t, "msg=reloaded by=SIGHUP")

	s.signal(t, syscall.SIGTERM)
	s.await(t, "msg=stopped")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
}

// TestServeTakesTheConfiguration changes config.toml under a running agent.
func TestServeTakesTheConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module(t, filepath.Join(dir, "m"), `{"name": "m", "scripts": ["a.wasm"], "permissions": ["/host/os"]}`, answering("a", 0))
	module(t, filepath.Join(dir, "n"), `{"name": "n", "modules": ["m"]}`, nil)
	write(t, filepath.Join(dir, "config.toml"), "[modules]\nm = { path = \"m\" }\nn = { path = \"n\" }\n")
	s := serve(t, dir)
	s.await(t, `level=WARN msg="module is restricted" module=m`)
	s.await(t, "msg=ready")

	write(t, filepath.Join(dir, "config.toml"), "[modules]\nm = { path = \"m\", allow = [\"/host/os\"] }\nn = { path = \"n\" }\nCheckHelpers = true\n")
	s.signal(t, syscall.SIGHUP)
	s.await(t, `msg="module is replaced" module=m`)
	s.await(t, `msg="module is loaded" module=CheckHelpers`)
	if s.await(t, "msg=reloaded"); strings.Contains(strings.Join(s.all[len(s.all)-3:], ""), "restricted") {
		t.Errorf("the grant was not taken:\n%s", strings.Join(s.all, "\n"))
	}

	write(t, filepath.Join(dir, "config.toml"), "colour = 1\n")
	s.signal(t, syscall.SIGHUP)
	s.await(t, `level=ERROR msg="not reloaded, and all stays as it was" by=SIGHUP error="`+filepath.Join(dir, "config.toml")+`:`)

	write(t, filepath.Join(dir, "config.toml"), "[modules]\nm = false\nn = false\n")
	s.signal(t, syscall.SIGHUP)
	for _, name := range []string{"CheckHelpers", "m", "n"} {
		s.await(t, `msg="module is unloaded" module=`+name)
	}
	s.await(t, "msg=reloaded")
	s.signal(t, syscall.SIGTERM)
	s.await(t, "msg=stopped")
}

// TestServeAudits puts modules that ask for more in the place of others.
func TestServeAudits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"lenient", "strict"} {
		module(t, filepath.Join(dir, name), `{"name": "x", "version": "1", "permissions": ["/host/os"]}`, nil)
	}
	write(t, filepath.Join(dir, "config.toml"), "[modules]\nlenient = { path = \"lenient\", allow = [\"/host/os\"] }\n"+
		"strict = { path = \"strict\", allow = [\"/host/os\"], strict = true }\n[audit]\npath = \"audit.log\"\n")
	s := serve(t, dir)
	s.await(t, "msg=ready")
	if _, err := os.Stat(filepath.Join(dir, "audit.log")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is nothing to audit, and the log is there: %v", err)
	}
	for _, name := range []string{"lenient", "strict"} {
		module(t, filepath.Join(dir, name), `{"name": "x", "version": "2", "permissions": ["/host/os", "/host/cpu", "/state/**"]}`, nil)
	}
	s.signal(t, syscall.SIGHUP)
	s.await(t, `level=ERROR msg="not reloaded, and all stays as it was" by=SIGHUP error="module strict asks for more than it is granted`)
	module(t, filepath.Join(dir, "strict"), `{"name": "x", "version": "1", "permissions": ["/host/os"]}`, nil)
	s.signal(t, syscall.SIGHUP)
	s.await(t, "msg=reloaded by=SIGHUP")
	s.signal(t, syscall.SIGTERM)
	s.await(t, "msg=stopped")
	text, err := os.ReadFile(filepath.Join(dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, `"event":"told"`) { // that it was told to reload
			got = append(got, strings.TrimSpace(line))
		}
	}
	for i, want := range []string{
		`","event":"restricted","module":"strict","digest":"[0-9a-f]{64}","version":"2","loaded":false,"uncovered":\["/host/cpu","/state/\*\*"\],"new":\["/host/cpu","/state/\*\*"\]}$`,
		`","event":"restricted","module":"lenient","digest":"[0-9a-f]{64}","version":"2","loaded":true,"uncovered":\["/host/cpu","/state/\*\*"\],"new":\["/host/cpu","/state/\*\*"\]}$`,
	} {
		if len(got) != 2 || !regexp.MustCompile(want).MatchString(got[i]) {
			t.Errorf("the lines are %s, want %s", text, want)
		}
	}
	grant := exec.CommandContext(t.Context(), "wasmagent", "grant", "--dry-run", "lenient")
	grant.Dir, grant.Env = dir, s.cmd.Env
	if shown, err := grant.Output(); err != nil || !regexp.MustCompile(`\nis new +/host/cpu .*\n +/state/\*\* `).Match(shown) {
		t.Errorf("grant shows %s, %v", shown, err)
	}
}

// TestServeIsStoppedWhileLoading wants no word about modules that were not loaded
// because of it.
func TestServeIsStoppedWhileLoading(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module(t, filepath.Join(dir, "m"), manifest, spinning())
	module(t, filepath.Join(dir, "n"), `{"name": "n", "scripts": [{"script": "a.wasm", "alias": "b"}], "on_start": ["check_ok", "b"]}`, spinning())
	write(t, filepath.Join(dir, "config.toml"), "modules.m.path = \"m\"\nmodules.n.path = \"n\"\nmodules.CheckHelpers = true\nlimits.time = \"1h\"\n[log]\nlevel = \"debug\"\n")
	write(t, filepath.Join(dir, "m", "module.json"), `{"name": "m", "modules": ["CheckHelpers"], "scripts": ["a.wasm"], "on_start": ["check_ok", "a"]}`)
	s := serve(t, dir)
	s.await(t, "command=check_ok module=CheckHelpers origin=on_start")
	s.signal(t, syscall.SIGTERM)
	s.await(t, "msg=stopped")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
	for _, line := range s.all {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") || strings.Contains(line, "msg=ready") {
			t.Errorf("it said %s", line)
		}
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.toml"), "colour = 1\n")
	s := serve(t, dir)
	s.await(t, "colour: unknown key")
	if err := s.cmd.Wait(); err == nil || s.cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("the agent ended with %v, want status 3", err)
	}
}
