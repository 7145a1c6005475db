package examples_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/agent"
	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

// A plugin runs a check: the line is its name and its arguments. One suite of
// lines is run by all of them.
type plugin func(t *testing.T, line string) (output string, status int)

// run starts a program and returns what it printed and its exit status.
func run(t *testing.T, env []string, program string, args ...string) (output string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), env...)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", program, err)
	}
	return printed.String(), cmd.ProcessState.ExitCode()
}

// words splits a line at blanks; a "␣" within a word stands for one.
func words(line string) (name string, args []string) {
	fields := strings.Fields(line)
	for _, field := range fields[1:] {
		args = append(args, strings.ReplaceAll(field, "␣", " "))
	}
	return fields[0], args
}

// monitoring runs the Monitoring Plugins that are installed.
func monitoring(t *testing.T) plugin {
	t.Helper()
	const dir = "/usr/lib/nagios/plugins"
	needs.Program(t, dir+"/check_http") // Debian: monitoring-plugins-basic
	return func(t *testing.T, line string) (string, int) {
		name, args := words(line)
		return run(t, []string{"LC_ALL=C"}, filepath.Join(dir, name), args...)
	}
}

// build builds the Go checks of the module into a directory.
func build(t *testing.T, dir, extension string, env ...string) {
	t.Helper()
	for _, name := range []string{"check_cert", "check_http", "check_json", "check_log"} {
		compile(t, "./web-checks/scripts/"+name, filepath.Join(dir, name+extension), env...)
	}
}

// compile builds one program: for the sandbox a reactor, as wasmagent pack does.
func compile(t *testing.T, source, out string, env ...string) {
	t.Helper()
	mode := "-buildmode=default"
	if slices.Contains(env, "GOOS=wasip1") {
		mode = "-buildmode=c-shared"
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", mode, "-ldflags=-s -w", "-o", out, source)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", source, err, message)
	}
}

// native runs the checks built for this machine, which trust an authority.
func native(t *testing.T, ca string) plugin {
	t.Helper()
	dir := t.TempDir()
	build(t, dir, ".exe")
	return func(t *testing.T, line string) (string, int) {
		name, args := words(line)
		return run(t, []string{"SSL_CERT_FILE=" + ca, "SSL_CERT_DIR=/nonexistent"}, filepath.Join(dir, name+".exe"), args...)
	}
}

// sandbox runs the checks as scripts of an agent that grants paths, trusts an
// authority and has logs in a directory.
func sandbox(t *testing.T, ca authority, logs string, allow ...string) plugin {
	t.Helper()
	if raceEnabled {
		t.Skip("compiling large programs takes too long with the race detector")
	}
	grant := granted(t, ca, allow...)
	grant.Files = map[string]providers.Files{"log": {Path: logs}}
	a := newAgent(t, grant, providers.Config{})
	manifest, err := os.ReadFile("web-checks/module.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "web-checks")
	build(t, filepath.Join(dir, "scripts"), ".wasm", "GOOS=wasip1", "GOARCH=wasm")
	load(t, a, dir, manifest)
	return func(t *testing.T, line string) (string, int) {
		name, args := words(line)
		r, err := a.Run(t.Context(), check.Request{Command: name, Args: args})
		if err != nil {
			r = check.Unknown(err)
		}
		return check.Encode(r), r.State.ExitStatus()
	}
}

// granted is what a module gets that may open paths, and trusts an authority.
func granted(t *testing.T, ca authority, allow ...string) providers.Grant {
	t.Helper()
	grants, err := policy.ParseGrants(allow)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.certificate)
	return providers.Grant{Allow: grants, Roots: roots, Limits: policy.Limits{Time: time.Minute, CompileTime: 10 * time.Minute}}
}

// newAgent is an agent that gives every module the same.
func newAgent(t *testing.T, grant providers.Grant, config providers.Config) *agent.Agent {
	t.Helper()
	dir := t.TempDir()
	engine, err := runtime.NewEngine(runtime.Config{CacheDir: filepath.Join(shared.dir, "cache")})
	if err != nil {
		t.Fatal(err)
	}
	config.Engine, config.UnpackDir, config.StateDir = engine, filepath.Join(dir, "unpacked"), filepath.Join(dir, "state")
	scripts, err := providers.New(config)
	if err != nil {
		t.Fatal(err)
	}
	a := agent.New(agent.Config{Providers: scripts, Tell: true, Grants: func(string) agent.Settings { return agent.Settings{Grant: grant} }})
	t.Cleanup(func() {
		if err := errors.Join(a.Close(), engine.Close()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// shared is what the tests of this process compile once.
var shared struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "wasmagent-examples-")
	if err != nil {
		panic(err)
	}
	shared.dir = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// load loads the module in a directory, one at a time, so that only the first
// compiles.
func load(t *testing.T, a *agent.Agent, dir string, manifest []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "module.json"), manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := zipmod.Open(dir, zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	shared.Lock()
	defer shared.Unlock()
	if err := a.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}
