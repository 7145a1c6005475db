package examples_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/internal/needs"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
	"github.com/wasmagent/wasmagent/zipmod"
)

const craftedManifest = `{"name": "Crafted", "scripts": ["scripts/*.wasm"], "permissions": ["/dev/**", "/host/*", "/env/*", "/state/**"]}`

// craft packs the programs in C and in Rust, once for all tests: the checks of the
// example, the probes, and those that the guide shows.
var craft = sync.OnceValues(func() (zip string, err error) {
	dir := filepath.Join(shared.dir, "crafted")
	for to, from := range map[string]string{
		"sdk": "web-checks/sdk", "scripts/check_tcp": "web-checks/scripts/check_tcp",
		"scripts/check_disk": "web-checks/scripts/check_disk", "scripts/check_service": "web-checks/scripts/check_service",
		"scripts/probe_c": "testdata/probe_c", "scripts/probe_rust": "testdata/probe_rust",
	} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(from)); err != nil {
			return "", err
		}
	}
	guide, err := os.ReadFile("../docs/c-and-rust.md")
	if err != nil {
		return "", err
	}
	for name, language := range map[string]string{"uptime_c/main.c": "c", "uptime_rust/Cargo.toml": "toml", "uptime_rust/src/main.rs": "rust"} {
		file := filepath.Join(dir, "scripts", name)
		err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(program(guide, language)), 0o600))
		if err != nil {
			return "", err
		}
	}
	return dir + ".zip", os.WriteFile(filepath.Join(dir, "module.json"), []byte(craftedManifest), 0o600)
})

// program is the text in a language that a guide shows.
func program(guide []byte, language string) string {
	text := strings.ReplaceAll(string(guide), "\r\n", "\n")
	_, text, _ = strings.Cut(text, "\n```"+language+"\n")
	text, _, _ = strings.Cut(text, "```")
	return text
}

// crafted loads the programs in C and in Rust into an agent, packed by its own
// command.
func crafted(t *testing.T, grant providers.Grant, config providers.Config) plugin {
	t.Helper()
	if testing.Short() || raceEnabled {
		t.Skip("compiles large programs")
	}
	m, err := zipmod.Open(packed(t), zipmod.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := newAgent(t, grant, config)
	shared.Lock()
	defer shared.Unlock()
	if err := a.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, line string) (string, int) {
		name, args := words(line)
		r, err := a.Run(t.Context(), check.Request{Command: name, Args: args})
		if err != nil {
			r = check.Unknown(err)
		}
		return check.Encode(r), r.State.ExitStatus()
	}
}

// packed is the zip of the programs.
func packed(t *testing.T) string {
	t.Helper()
	zip, err := craft()
	if err != nil {
		t.Fatal(err)
	}
	shared.Lock()
	defer shared.Unlock()
	if _, err := os.Stat(zip); err == nil {
		return zip
	}
	agent := filepath.Join(shared.dir, "wasmagent.exe")
	compile(t, "../cmd/wasmagent", agent)
	output, status := run(t, []string{"XDG_CACHE_HOME=" + filepath.Join(shared.dir, "home")}, agent, "pack", strings.TrimSuffix(zip, ".zip"))
	lacks := strings.Contains(output, "there is no C compiler") || strings.Contains(output, "there is no Rust") || strings.Contains(output, " lacks ")
	if status != 0 && lacks {
		needs.Missing(t, output)
	}
	if status != 0 {
		t.Fatal(output)
	}
	return zip
}

// everything is a grant of all that the programs ask for on this machine.
func everything(t *testing.T, ca authority) providers.Grant {
	t.Helper()
	g := granted(t, ca, "/host/*", "/env/*", "/state/**", "/dev/*/127.0.0.1/*", "/dev/*/localhost/*", "/dev/tls/127.0.0.1/**", "/dev/tls/localhost/**")
	g.Env = map[string]runtime.Document{"TOKEN": document([]byte("a token"))}
	return g
}
