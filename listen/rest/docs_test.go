package rest_test

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// TestDocs runs what docs/rest.md shows in a terminal, and wants what it says
// that comes back.
func TestDocs(t *testing.T) {
	t.Parallel()
	needs.Program(t, "curl")
	needs.Program(t, "/usr/lib/nagios/plugins/check_nscp_api")
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "rest.md"))
	if err != nil {
		t.Fatal(err)
	}
	g := newAgentry()
	g.observe(7, 9)
	s := g.serve(t)
	g.Events.Close() // so that the stream ends
	dir := t.TempDir()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	for name, content := range map[string]string{"agent.pem": string(certificate), "web-checks.zip": "PK zip"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	here := strings.NewReplacer("https://web1.example.com:8443", s.URL, "-H web1.example.com -P 8443", "-H 127.0.0.1 -P "+port(t, s))
	console := terminal{dir: dir, env: append(os.Environ(), "PASSWORD=admin", "ICINGA=icinga")}
	count := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(doc), -1) {
		for line := range strings.SplitSeq(strings.TrimPrefix(here.Replace(block[1]), "$ "), "\n$ ") {
			command, want, _ := strings.Cut(line, "\n")
			console.run(t, command, want)
			count++
		}
	}
	if count < 10 {
		t.Errorf("only %d commands", count)
	}
}

// A terminal runs commands one after the other.
type terminal struct {
	dir string
	env []string
}

// run wants an output, in which $KEY stands for what later commands know by that
// name.
func (c *terminal) run(t *testing.T, command, want string) {
	t.Helper()
	program, _, _ := strings.Cut(command, " ")
	if _, err := exec.LookPath(program); err != nil && program == "check_nsc_web" {
		t.Logf("not run, as it is not installed: %s", command)
		return
	}
	sh := exec.CommandContext(t.Context(), "sh", "-c", command)
	sh.Dir, sh.Env = c.dir, c.env
	out, err := sh.CombinedOutput()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSuffix(want, "\n")), `\$KEY`, `([0-9a-f]{32})`)
	found := regexp.MustCompile(`^` + pattern + `\n*$`).FindSubmatch(out)
	switch {
	case err != nil || found == nil:
		t.Errorf("%s: %v\n%s\nwant %s", command, err, out, want)
	case len(found) == 2:
		c.env = append(c.env, "KEY="+string(found[1]))
	}
}
